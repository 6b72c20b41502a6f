using System.CommandLine;
using System.Globalization;
using System.Net;
using Flotta.Fleet.Devices;
using Flotta.Fleet.Scenarios;
using Flotta.Yggdrasil.Credentials;

namespace Flotta.Fleet.CommandLine;

/// <summary><c>flotta-fleet</c>: a verb per scenario. Exit codes: 0 it did what was asked (Ctrl-C included), 1 it did not come to that, 2 wrong usage.</summary>
internal static class FleetCommand
{
    private const string About = """
        Simulates a fleet: any number of devices in one process, each with a key, a certificate and a connection of its own, speaking the real protocol.

        Examples:
          flotta-fleet cold-start --data-dir /var/lib/flotta --devices 1000
          flotta-fleet steady --server flotta.example.com:8043 --ca ca.pem --cert cert.pem --key key.pem --devices 5000 --ramp 60s --for 10m --state ./fleet
          flotta-fleet rollout --data-dir /var/lib/flotta --kubeconfig /var/lib/flotta/kubeconfig --devices 2000 --report rollout.json
          flotta-fleet load --data-dir /var/lib/flotta --devices 400 --request heartbeat --for 20s

        Progress goes to standard error, the report (JSON) to standard output or to the file of --report. Ctrl-C ends a run early, with its report.
        """;

    private static readonly Option<string> DataDir = new("--data-dir") { Description = "folder of a 'flotta up' on this machine: takes address and bootstrap certificate from it", HelpName = "DIR" };
    private static readonly Option<string> Server = new("--server") { Description = "where the Edge API is [default with --data-dir: 127.0.0.1:8043]", HelpName = "HOST:PORT" };
    private static readonly Option<string> Ca = new("--ca") { Description = "CA that signs the server's certificate", HelpName = "FILE" };
    private static readonly Option<string> Cert = new("--cert") { Description = "bootstrap certificate", HelpName = "FILE" };
    private static readonly Option<string> Key = new("--key") { Description = "its key", HelpName = "FILE" };
    private static readonly Option<string> PathPrefix = new("--path-prefix") { Description = "path below which the Edge API is", HelpName = "PATH", DefaultValueFactory = _ => "api/flotta-management/v1" };
    private static readonly Option<int> Devices = Number("--devices", 100, 1, 100_000, "how many devices");
    private static readonly Option<string> Prefix = new("--prefix") { Description = "devices are called PREFIX-00001 and so on", HelpName = "PREFIX", DefaultValueFactory = _ => "fleet" };
    private static readonly Option<string> Namespace = new("--namespace") { Description = "where the devices ask to land", HelpName = "NAME", DefaultValueFactory = _ => "default" };
    private static readonly Option<string> State = new("--state") { Description = "keep keys and certificates here, and go on with those that are there", HelpName = "DIR" };
    private static readonly Option<string> Kubeconfig = new("--kubeconfig") { Description = "approve the devices with this access (without it somebody else has to), and apply workloads (rollout)", HelpName = "FILE" };
    private static readonly Option<string> Report = new("--report") { Description = "write the report here instead of to standard output", HelpName = "FILE" };
    private static readonly Option<int?> ServerProcess = new("--server-process") { Description = "a server on this machine whose CPU and memory the report shall have", HelpName = "PID" };
    private static readonly Option<TimeSpan> Ramp = Time("--ramp", "1s", "switch the devices on over this time");
    private static readonly Option<TimeSpan> Patience = Time("--patience", "5m", "how long it may take until every device is served");
    private static readonly Option<TimeSpan> RequestTimeout = Time("--request-timeout", "30s", "how long one request may take");
    private static readonly Option<TimeSpan> Hold = Time("--hold", "240s", "ask the server to hold requests this long; 0s: poll");
    private static readonly Option<TimeSpan> Poll = Time("--poll", "5s", "between two polls where requests are not held");
    private static readonly Option<TimeSpan> Period = Time("--period", "0s", "between two heartbeats; 0s: as the configuration says");
    private static readonly Option<TimeSpan> LongestStart = Time("--start-time", "2s", "workloads run after a random time up to this");
    private static readonly Option<TimeSpan> TroubleEvery = Time("--trouble-every", "0s", "how often a workload fails and recovers, on average; 0s: never");
    private static readonly Option<TimeSpan> RenewEvery = Time("--renew-every", "0s", "renew certificates this often; 0s: at two thirds of their life");
    private static readonly Option<bool> Http1 = new("--http1") { Description = "HTTP/1.1 instead of HTTP/2" };
    private static readonly Option<bool> Original = new("--original") { Description = "behave as the original's devices: no key with the enrolment, HTTP/1.1, polling the whole configuration" };
    private static readonly Option<TimeSpan> Duration = Time("--for", "1m", "how long");
    private static readonly Option<TimeSpan> Calm = Time("--calm", "0s", "at the end, stay this long without failures, so that all is as it should be");
    private static readonly Option<TimeSpan> Every = Time("--every", "30s", "pause before each storm or rollout; mean time between two cuts of one link (flapping)");
    private static readonly Option<TimeSpan> Down = Time("--down", "1s", "a cut link is gone for a random time up to this");
    private static readonly Option<int> Rounds = Number("--rounds", 3, 1, 1000, "how many storms or rollouts");
    private static readonly Option<double?> Rate = new("--rate") { Description = "requests a second [default: as fast as they are answered]", HelpName = "NUMBER" };
    private static readonly Option<int> AtOnce = Number("--at-once", 64, 1, 10_000, "requests under way at one time");
    private static readonly Option<string> Request = new("--request")
    {
        Description = "what is sent: heartbeat, changing-heartbeat, configuration, unchanged-configuration, control, or registration (each device is let in once)",
        HelpName = "KIND",
        DefaultValueFactory = _ => "heartbeat",
    };

    private static readonly Option[] Common =
    [
        DataDir, Server, Ca, Cert, Key, PathPrefix, Devices, Prefix, Namespace, State, Kubeconfig, Report, ServerProcess, Ramp, Patience, RequestTimeout, Hold, Poll, Period,
        LongestStart, TroubleEvery, RenewEvery, Http1, Original,
    ];

    /// <summary>Every verb with its flags; the documentation is held against it.</summary>
    public static RootCommand Root(TextWriter errors, Func<FleetOptions, CancellationToken, Task<int>> run, Action<string?>? starting = null)
    {
        return new RootCommand(About)
        {
            Verb(FleetRun.Names.ColdStart, "Enrol, register and configure every device, as on the first day; ends when the last one is served."),
            Verb(FleetRun.Names.Steady, "The everyday: held requests or polls, heartbeats, workloads that come and go.", Duration, Calm),
            Verb(FleetRun.Names.ReconnectStorm, "All links go away at once, and all devices come back.", Rounds, Every, Down),
            Verb(FleetRun.Names.Rollout, "Apply a workload for the whole fleet and wait until the last device holds it; needs --kubeconfig.", Rounds, Every),
            Verb(FleetRun.Names.Flapping, "Links come and go, each for itself.", Duration, Calm, Every, Down),
            Verb(FleetRun.Names.Load, "Requests of one kind over open connections, as fast as they are answered or at a rate.", Duration, Request, Rate, AtOnce),
        };

        Command Verb(string name, string description, params Option[] own)
        {
            var command = new Command(name, description);
            foreach (var option in own.Concat(Common))
                command.Options.Add(option);
            command.SetAction((parsed, cancellationToken) => RunAsync(name, parsed, errors, run, starting, cancellationToken));
            return command;
        }
    }

    /// <param name="starting">Told the kubeconfig before the first certificate is read.</param>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter errors, Func<FleetOptions, CancellationToken, Task<int>> run, Action<string?>? starting = null)
    {
        var parsed = Root(errors, run, starting).Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is System.CommandLine.Invocation.ParseErrorAction)
            return Usage(errors, Problem(parsed));
        return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(20), EnableDefaultExceptionHandler = false });
    }

    private static async Task<int> RunAsync(
        string scenario, ParseResult parsed, TextWriter errors, Func<FleetOptions, CancellationToken, Task<int>> run, Action<string?>? starting, CancellationToken cancellationToken)
    {
        starting?.Invoke(parsed.GetValue(Kubeconfig));
        FleetOptions options;
        try
        {
            options = Read(scenario, parsed);
        }
        catch (Exception wrong) when (wrong is FormatException or CredentialException)
        {
            return Usage(errors, wrong.Message);
        }

        return await run(options, cancellationToken);
    }

    private static FleetOptions Read(string scenario, ParseResult parsed)
    {
        var original = parsed.GetValue(Original);
        var hold = parsed.GetValue(Hold);
        var folder = parsed.GetValue(DataDir);
        var bootstrap = folder is null ? null : Path.Combine(folder, "bootstrap");
        var server = parsed.GetValue(Server) ?? (folder is null ? throw new FormatException("no server is given: --server HOST:PORT, or --data-dir DIR of a 'flotta up'.") : "127.0.0.1:8043");
        var prefix = parsed.GetValue(Prefix)!;
        if (prefix.Length is 0 or > 40 || !prefix.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') || prefix[0] == '-')
            throw new FormatException("--prefix takes lower-case letters, digits and '-', as Kubernetes wants names.");
        if (scenario == FleetRun.Names.Rollout && parsed.GetValue(Kubeconfig) is null)
            throw new FormatException("rollout applies workloads, and needs --kubeconfig FILE for that.");
        // Says now what would otherwise fail for each device.
        _ = new Yggdrasil.Transport.ServerAddress(server, parsed.GetValue(PathPrefix)!, prefix);
        return new FleetOptions
        {
            Scenario = scenario,
            Server = server,
            Roots = Roots.FromFiles([FileOf(Ca, "ca.pem")]),
            Bootstrap = Identity.FromFiles(FileOf(Cert, "cert.pem"), FileOf(Key, "key.pem")),
            PathPrefix = parsed.GetValue(PathPrefix)!,
            Devices = parsed.GetValue(Devices),
            Prefix = prefix,
            Settings = new DeviceSettings
            {
                Namespace = parsed.GetValue(Namespace)!,
                OffersKey = !original,
                UsesTags = !original,
                Hold = original || hold == TimeSpan.Zero ? null : hold,
                PollInterval = parsed.GetValue(Poll),
                Period = Unless(Period),
                LongestStart = parsed.GetValue(LongestStart),
                TroubleEvery = Unless(TroubleEvery),
                RenewEvery = Unless(RenewEvery),
            },
            Http = original || parsed.GetValue(Http1) ? HttpVersion.Version11 : HttpVersion.Version20,
            Ramp = parsed.GetValue(Ramp),
            Patience = parsed.GetValue(Patience),
            RequestTimeout = parsed.GetValue(RequestTimeout),
            Duration = Own(Duration),
            Calm = Own(Calm),
            Every = Own(Every),
            Down = Own(Down),
            Rounds = Has(Rounds) ? parsed.GetValue(Rounds) : 1,
            Request = Has(Request) ? Kind(parsed.GetValue(Request)!) : default,
            Rate = Has(Rate) ? parsed.GetValue(Rate) : null,
            AtOnce = Has(AtOnce) ? parsed.GetValue(AtOnce) : 1,
            StateFolder = parsed.GetValue(State),
            Kubeconfig = parsed.GetValue(Kubeconfig),
            ReportFile = parsed.GetValue(Report),
            ServerProcess = parsed.GetValue(ServerProcess),
        };

        string FileOf(Option<string> flag, string name) =>
            parsed.GetValue(flag) ?? (bootstrap is null ? throw new FormatException($"{flag.Name} is missing: it says what new devices enrol with.") : Path.Combine(bootstrap, name));
        bool Has(Option option) => parsed.CommandResult.Command.Options.Contains(option);
        TimeSpan Own(Option<TimeSpan> option) => Has(option) ? parsed.GetValue(option) : TimeSpan.Zero;
        TimeSpan? Unless(Option<TimeSpan> option) => parsed.GetValue(option) is var time && time == TimeSpan.Zero ? null : time;
    }

    private static LoadRequest Kind(string word) => word switch
    {
        "heartbeat" => LoadRequest.Heartbeat,
        "changing-heartbeat" => LoadRequest.ChangingHeartbeat,
        "configuration" => LoadRequest.Configuration,
        "unchanged-configuration" => LoadRequest.UnchangedConfiguration,
        "control" => LoadRequest.Control,
        "registration" => LoadRequest.Registration,
        _ => throw new FormatException($"--request takes heartbeat, changing-heartbeat, configuration, unchanged-configuration, control or registration, not '{word}'."),
    };

    private static Option<int> Number(string name, int standard, int least, int most, string description)
    {
        var option = new Option<int>(name) { Description = description, HelpName = "NUMBER", DefaultValueFactory = _ => standard };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !(int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most))
                result.AddError($"{name} takes a number from {least} to {most}, not '{result.Tokens[0].Value}'.");
        });
        return option;
    }

    private static Option<TimeSpan> Time(string name, string standard, string description) =>
        new(name)
        {
            Description = $"{description} [default: {standard}]",
            HelpName = "TIME",
            DefaultValueFactory = _ => Span(standard) ?? TimeSpan.Zero,
            CustomParser = result =>
            {
                if (Span(result.Tokens[0].Value) is { } time)
                    return time;
                result.AddError($"{name} takes a time such as 500ms, 30s, 10m or 2h, not '{result.Tokens[0].Value}'.");
                return default;
            },
        };

    internal static TimeSpan? Span(string text)
    {
        var unit = text.AsSpan().TrimStart("0123456789.");
        if (!double.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number > 1_000_000)
            return null;
        return unit switch
        {
            "ms" => TimeSpan.FromMilliseconds(number),
            "s" => TimeSpan.FromSeconds(number),
            "m" => TimeSpan.FromMinutes(number),
            "h" => TimeSpan.FromHours(number),
            _ => null,
        };
    }

    private static string Problem(ParseResult parsed) =>
        parsed.CommandResult.Command is not RootCommand ? parsed.Errors[0].Message
        : parsed.UnmatchedTokens is [var word, ..] ? $"'{word}' is no scenario."
        : "no scenario is given.";

    private static int Usage(TextWriter errors, string problem)
    {
        errors.WriteLine($"flotta-fleet: {problem}");
        errors.WriteLine("See flotta-fleet --help.");
        return 2;
    }
}
