using Flotta.Fleet.Cluster;
using Flotta.Fleet.CommandLine;
using Flotta.Fleet.Scenarios;
using Flotta.Fleet.Transport;

return await FleetCommand.RunAsync(args, Console.Error, RunAsync, SystemAuthorities.LeaveOut);

static async Task<int> RunAsync(FleetOptions options, CancellationToken cancellationToken)
{
    try
    {
        var report = await new FleetRun(options, Console.Error, TimeProvider.System).RunAsync(cancellationToken);
        if (options.ReportFile is { } file)
            await File.WriteAllTextAsync(file, report.ToJson() + "\n", CancellationToken.None);
        else
            Console.WriteLine(report.ToJson());
        return report.Complete || cancellationToken.IsCancellationRequested ? 0 : 1;
    }
    catch (Exception failed) when (failed is KubeconfigException or HttpRequestException or IOException or UnauthorizedAccessException)
    {
        await Console.Error.WriteLineAsync($"flotta-fleet: {failed.Message}");
        return 1;
    }
}
