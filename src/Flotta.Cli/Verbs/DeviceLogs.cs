using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Flotta.Kube;
using Flotta.Wire;
using Command = System.CommandLine.Command;

namespace Flotta.Cli.Verbs;

/// <summary><c>flotta logs</c>: what a workload on a device says, now, and nowhere kept. Who may <c>get</c> <c>edgedevices/logs</c> may look.</summary>
internal static class DeviceLogs
{
    public static Command Command()
    {
        var device = new Argument<string>("DEVICE") { Description = "Name of the EdgeDevice" };
        var workload = new Argument<string>("WORKLOAD") { Description = "Name of the EdgeWorkload" };
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on with what is written from now on; Ctrl-C ends it" };
        var since = new Option<TimeSpan?>("--since")
        {
            Description = "Only lines that are not older, such as 30s, 10m or 2h",
            HelpName = "TIME",
            CustomParser = result =>
            {
                if (Duration(result.Tokens[0].Value) is { } time)
                    return time;
                result.AddError($"--since takes a time such as 30s, 10m, 2h or 1d, not '{result.Tokens[0].Value}'.");
                return null;
            },
        };
        var tail = new Option<int?>("--tail") { Description = "Only the last N lines of each container, before those that come", HelpName = "N" };
        tail.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !(int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var lines) && lines >= 0))
                result.AddError($"--tail takes a number of lines, not '{result.Tokens[0].Value}'.");
        });
        var container = new Option<string?>("--container", "-c") { Description = "Only this container; default: all of the workload's", HelpName = "NAME" };
        var @namespace = new Option<string?>("--namespace", "-n") { Description = "Namespace of the device; default: the kubeconfig's, else default", HelpName = "NAME" };
        var timestamps = new Option<bool>("--timestamps") { Description = "Put the time before each line" };
        var prefix = new Option<bool>("--prefix") { Description = "Put the container's name before each line" };
        var address = Options.Address(
            "--edge-api", "https://fleet.example.com:8043", "Where the Edge API is, as https://HOST:PORT; default: where the Edge API itself says that it is");
        var system = new Option<string>("--system-namespace") { Description = "Namespace in which the Edge API runs", HelpName = "NAME", DefaultValueFactory = _ => "flotta" };
        var kubeconfig = Options.Kubeconfig();
        var command = new Command("logs", "Print what a workload on a device says, straight from the device.")
        {
            device, workload, follow, since, tail, container, @namespace, timestamps, prefix, address, system, kubeconfig,
        };
        command.WithExamples(
            "flotta logs till-07 hello",
            "flotta logs till-07 hello -f --since 10m --tail 100",
            "flotta logs till-07 hello -c web -n shop --kubeconfig alice.kubeconfig");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var access = KubeAccess.Load(parsed.GetValue(kubeconfig));
            using var kube = KubeApi.Connect(access, TimeProvider.System);
            var where = parsed.GetRequiredValue(system);
            using var edge = await EdgeAccess.ConnectAsync(kube, access, where, parsed.GetValue(address), cancellationToken);
            var token = await EdgeAccess.TokenAsync(kube, access, where, cancellationToken);
            var space = parsed.GetValue(@namespace) is { Length: > 0 } named ? named : access.Namespace is { Length: > 0 } own ? own : "default";
            var key = new ObjectKey(space, parsed.GetRequiredValue(device));
            var asked = new LogArguments("", parsed.GetRequiredValue(workload), parsed.GetValue(container), parsed.GetValue(since), parsed.GetValue(tail), parsed.GetValue(follow));
            try
            {
                using var response = await edge.AskAsync(key, asked, token, cancellationToken);
                await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
                if (!response.IsSuccessStatusCode)
                    throw new FailureException(await ProblemAsync((int)response.StatusCode, body, cancellationToken));
                return await PrintAsync(body, parsed.GetValue(timestamps), parsed.GetValue(prefix), parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, cancellationToken);
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException && !cancellationToken.IsCancellationRequested)
            {
                throw new FailureException($"the Edge API cannot be reached: {(exception.InnerException ?? exception).Message}; where it is can be said with --edge-api.", exception);
            }
        });
        return command;
    }

    /// <summary>Seconds, minutes, hours or days; null for anything else.</summary>
    internal static TimeSpan? Duration(string text)
    {
        if (text.Length < 2 || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return null;
        var factor = text[^1] switch
        {
            's' => 1L,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => 0,
        };
        return factor == 0 || number * factor is 0 or > int.MaxValue ? null : TimeSpan.FromSeconds(number * factor);
    }

    private static async Task<int> PrintAsync(Stream body, bool timestamps, bool prefix, TextWriter output, TextWriter errors, CancellationToken cancellationToken)
    {
        var terminal = !Console.IsOutputRedirected;
        await foreach (var line in LogLines.ReadAsync(body, cancellationToken))
        {
            if (line.End is { } why)
            {
                await errors.WriteLineAsync("error: " + LogLines.Harmless(why));
                return 1;
            }

            var text = $"{(prefix ? $"[{line.Container}] " : "")}{(timestamps ? line.Time + " " : "")}{line.Text}";
            await output.WriteLineAsync(terminal ? LogLines.Harmless(text) : text);
            await output.FlushAsync(cancellationToken);
        }

        return 0;
    }

    private static async Task<string> ProblemAsync(int status, Stream body, CancellationToken cancellationToken)
    {
        var bytes = new byte[16 * 1024];
        var length = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        try
        {
            using var document = JsonDocument.Parse(bytes.AsMemory(0, length), new JsonDocumentOptions { MaxDepth = 4 });
            if (document.RootElement.TryGetProperty("message", out var message) && message.GetString() is { Length: > 0 } text)
                return $"{LogLines.Harmless(text)} ({status})";
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // It is none of ours.
        }

        return $"the Edge API answers {status}";
    }
}
