using System.CommandLine;
using System.Net;
using System.Text.Json.Nodes;
using Flotta.Cli.Diagnosis;
using Flotta.Kube;

namespace Flotta.Cli.Verbs;

/// <summary><c>flotta doctor</c>: what is wrong with an installation, and what to do.</summary>
internal static class Doctor
{
    public static Command Command()
    {
        var kubeconfig = Options.Kubeconfig();
        var dataDirectory = new Option<string?>("--data-dir") { Description = "Folder of an embedded installation, which is looked at too, also while it is stopped", HelpName = "DIR" };
        var edge = Edge();
        var form = new Option<string>("--output") { Description = "text, or json", HelpName = "FORM", DefaultValueFactory = _ => "text" };
        form.AcceptOnlyFromAmong("text", "json");
        var command = new Command("doctor", "Look at an installation and say what is wrong and what to do; changes nothing. Exit code 1 when there is an error.") { kubeconfig, dataDirectory, edge, form };
        command.WithExamples(
            "flotta doctor --data-dir /var/lib/flotta --edge 127.0.0.1:8043",
            "flotta doctor --kubeconfig ~/.kube/config --edge fleet.example.com:443 --output json");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var findings = await FindAsync(parsed.GetValue(kubeconfig), parsed.GetValue(dataDirectory), parsed.GetValue(edge), TimeProvider.System, cancellationToken);
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(form) == "json")
                await output.WriteLineAsync(new JsonArray([.. findings.Select(finding => (JsonNode)finding.ToJson())]).ToJsonString());
            else
                await output.WriteLineAsync(string.Join('\n', findings));
            return findings.Any(finding => finding.Health == Health.Error) ? 1 : 0;
        });
        return command;
    }

    internal static async Task<IReadOnlyList<Finding>> FindAsync(string? kubeconfig, string? folder, DnsEndPoint? edge, TimeProvider time, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        if (folder is not null)
        {
            findings.AddRange(DataFolder.Find(folder, time.GetUtcNow()));
            if (kubeconfig is null && !DataFolder.IsInUse(folder))
            {
                findings.Add(Finding.Warning("api-server", "'flotta up' is not running, so its objects were not looked at", "Start it, and run this again"));
                return await WithEdgeAsync(null);
            }

            kubeconfig ??= Path.Combine(folder, "kubeconfig");
        }

        using var api = KubeApi.Connect(KubeAccess.Load(kubeconfig), time);
        var cluster = new ClusterChecks(api, time);
        findings.AddRange(await cluster.FindAsync(cancellationToken));
        return await WithEdgeAsync(cluster.Ca);

        async Task<IReadOnlyList<Finding>> WithEdgeAsync(Pair? ca)
        {
            if (edge is not null)
                findings.AddRange(await new EdgePort(edge.Host, edge.Port, time).FindAsync(ca is null ? null : Certificates.Authorities(ca), cancellationToken));
            return findings;
        }
    }

    private static Option<DnsEndPoint?> Edge() => new("--edge")
    {
        Description = "The address that devices call, which is greeted as a device would",
        HelpName = "HOST:PORT",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            var colon = text.LastIndexOf(':');
            if (colon > 0 && int.TryParse(text.AsSpan(colon + 1), out var port) && port is > 0 and <= IPEndPoint.MaxPort)
                return new DnsEndPoint(text[..colon].Trim('[', ']'), port);
            result.AddError($"--edge takes an address such as fleet.example.com:8043, not '{text}'.");
            return null;
        },
    };
}
