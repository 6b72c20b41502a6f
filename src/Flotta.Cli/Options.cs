using System.CommandLine;
using System.Net;
using Microsoft.Extensions.Logging;

namespace Flotta.Cli;

/// <summary>The flags that several verbs share: same name, same meaning, same checks.</summary>
internal static class Options
{
    public static Option<string> DataDirectory() => new("--data-dir")
    {
        Description = "Folder of the embedded store and its keys; made when absent",
        HelpName = "DIR",
        Required = true,
    };

    public static Option<IPAddress> Listen(string description = "Address to serve on") => new("--listen")
    {
        Description = description,
        HelpName = "ADDRESS",
        DefaultValueFactory = _ => IPAddress.Loopback,
        CustomParser = result =>
        {
            if (IPAddress.TryParse(result.Tokens[0].Value, out var address))
                return address;
            result.AddError($"--listen takes an IP address such as 127.0.0.1 or 0.0.0.0, not '{result.Tokens[0].Value}'.");
            return null;
        },
    };

    public static Option<int> Port(string name, int standard, string description) => Port(name, () => standard, description);

    /// <summary>The default is asked for only when the flag is not given, so that one broken variable breaks one verb.</summary>
    public static Option<int> Port(string name, Func<int> standard, string description)
    {
        var option = new Option<int>(name) { Description = description + "; 0 picks a free one", HelpName = "PORT", DefaultValueFactory = _ => standard() };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !(int.TryParse(result.Tokens[0].Value, out var port) && port is >= 0 and <= IPEndPoint.MaxPort))
                result.AddError($"{name} takes a number from 0 to 65535, not '{result.Tokens[0].Value}'.");
        });
        return option;
    }

    /// <param name="example">Shown to who gives something else than an https address.</param>
    public static Option<Uri?> Address(string name, string example, string description) => new(name)
    {
        Description = description,
        HelpName = "URL",
        CustomParser = result =>
        {
            if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttps)
                return url;
            result.AddError($"{name} takes an address such as {example}, not '{result.Tokens[0].Value}'.");
            return null;
        },
    };

    public static Option<string?> Kubeconfig() => new("--kubeconfig")
    {
        Description = "How to reach the cluster; default: $KUBECONFIG, else the pod's own service account, else ~/.kube/config",
        HelpName = "FILE",
    };

    public static Option<LogLevel?> Level() => new("--log-level")
    {
        Description = "trace, debug, info, warn or error; default: $LOG_LEVEL, else info",
        HelpName = "LEVEL",
        CustomParser = result =>
        {
            if (Logs.ParseLevel(result.Tokens[0].Value) is { } level)
                return level;
            result.AddError($"--log-level takes trace, debug, info, warn or error, not '{result.Tokens[0].Value}'.");
            return null;
        },
    };
}
