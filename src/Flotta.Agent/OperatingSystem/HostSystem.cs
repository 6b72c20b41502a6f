using System.Text.Json;
using Flotta.Agent.Processes;

namespace Flotta.Agent.OperatingSystem;

/// <summary>What the machine runs and what it will run next.</summary>
internal sealed record HostState(string Booted, string? Pending);

/// <summary>An operating system that is replaced whole and can go back. Every failure is a <see cref="HostException"/> with a sentence for a person.</summary>
internal interface IHostSystem
{
    Task<HostState> LookAsync(CancellationToken cancellationToken);

    /// <summary>Makes exactly this commit ready for the next boot; again, when it was begun before.</summary>
    /// <param name="url">Where commits are served; null: where the machine gets them already.</param>
    Task StageAsync(string commit, string? url, CancellationToken cancellationToken);

    /// <summary>Makes the commit of before the next boot's.</summary>
    Task TakeBackAsync(string commit, CancellationToken cancellationToken);
}

internal sealed class HostException(string message) : Exception(message);

/// <summary>How the machine's tools are run. The agent's own unit is fenced in; what replaces the operating system, and what people write, runs outside of that fence.</summary>
/// <param name="Root">The root of the machine's files, but in tests.</param>
/// <param name="Before">Put before every command.</param>
/// <param name="Folder">Where the tools are, but in tests.</param>
internal sealed record HostTools(string Root, IReadOnlyList<string> Before, string? Folder = null)
{
    public static readonly TimeSpan Quick = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan Slow = TimeSpan.FromHours(1);

    public static HostTools OfThisMachine { get; } = new("/", Directory.Exists("/run/systemd/system") ? ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--"] : []);

    public string BootId => File.ReadAllText(Path.Combine(Root, "proc/sys/kernel/random/boot_id")).Trim();

    public TimeSpan Uptime => TimeSpan.FromSeconds(double.Parse(File.ReadAllText(Path.Combine(Root, "proc/uptime")).Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>The tool's output.</summary>
    public async Task<string> RunAsync(TimeSpan deadline, string tool, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> all = [.. Before, Folder is null ? tool : Path.Combine(Folder, tool), .. arguments];
        var result = await Tool.RunAsync(all[0], all.Skip(1), null, deadline, cancellationToken);
        return result.IsOk ? result.Output : throw new HostException($"{tool} {arguments.FirstOrDefault()}: {Short(result.Problem)}");
    }

    /// <summary>For a tool whose rollback exchanges the two versions that it keeps: a second one undoes the first.</summary>
    public async Task RollBackAsync(string tool, IHostSystem system, string commit, CancellationToken cancellationToken)
    {
        if (!Upgrade.Same((await system.LookAsync(cancellationToken)).Pending, commit))
            await RunAsync(Slow, tool, ["rollback"], cancellationToken);
    }

    public Task RebootAsync(CancellationToken cancellationToken) => RunAsync(Quick, "systemctl", ["reboot"], cancellationToken);

    /// <summary>Which of the three the machine is made of; null: none.</summary>
    public async Task<IHostSystem?> FindAsync(CancellationToken cancellationToken)
    {
        if (Has("bootc") && await BootcHost.IsManagedAsync(this, cancellationToken))
            return new BootcHost(this);
        if (!File.Exists(Path.Combine(Root, "run/ostree-booted")))
            return null;
        return Has("rpm-ostree") ? new RpmOstreeHost(this) : Has("ostree") ? new OstreeHost(this) : null;
    }

    public static JsonElement Json(string tool, string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 32 });
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            throw new HostException($"what {tool} says is not JSON");
        }
    }

    private bool Has(string tool) => Folder is not null
        ? File.Exists(Path.Combine(Folder, tool))
        : ((string[])["usr/bin", "usr/sbin", "bin", "sbin"]).Any(folder => File.Exists(Path.Combine(Root, folder, tool)));

    private static string Short(string text) => text.Length <= 500 ? text : text[..500] + "…";
}
