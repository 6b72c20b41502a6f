using System.Text;
using System.Text.Json.Nodes;
using Flotta.Agent.Enrolment;
using Flotta.Tests.Wire;
using Flotta.Wire;
using Microsoft.AspNetCore.Http;

namespace Flotta.Tests.Agent;

/// <summary>The agent against what the original Edge API really answered, from the first enrolment to the disconnection, over real mutual TLS.</summary>
public sealed class OriginalServerTests
{
    private const string Id = "peer-real-1";
    private int _enrolments;
    private string _configuration = "06-get-config-no-workloads-200.json";
    private volatile bool _deleted;

    [Fact]
    public async Task Every_recorded_answer_is_understood()
    {
        await using var server = await EdgeStandIn.StartAsync();
        await using var device = new TestDevice(server);
        server.Instead = (seen, http) => AnswerAsync(server, seen, http);
        device.Start(device.Options with { ClientId = Id });

        await server.SeesAsync(Directives.Enrolment, 2);
        await server.SeesAsync(Directives.Registration);
        await server.SeesAsync(seen => seen.What == Directives.Heartbeat && seen.Heartbeat.Version is { Length: > 0 });
        device.Agent.State.ShouldBe(EnrolmentState.Registered);

        _configuration = "10-get-config-workload-and-secret-200.json";
        await Until.TrueAsync(() => device.Workloads.Applied.Any(applied => applied.Workloads.Count == 1), () => device.Log.ToString());
        var applied = device.Workloads.Applied.Last();
        applied.Workloads[0].Name.ShouldBe("web");
        applied.Workloads[0].Specification!.ShouldContain("FROM_SECRET");
        (applied.Secrets[0].Name, applied.Secrets[0].Data).ShouldBe(("demo-secret", """{"k":"dg=="}"""));
        await server.SeesAsync(seen => seen.What == Directives.Heartbeat && seen.Heartbeat.Version == "535");
        device.Workloads.Removals.ShouldBe(0);

        _deleted = true;
        // The state comes last.
        await Until.TrueAsync(() => device.Agent.State == EnrolmentState.Disconnected, () => device.Log.ToString());
        device.Workloads.Removals.ShouldBe(1);
        File.Exists(device.InData("identity.pem")).ShouldBeFalse();
        device.Log.ToString().ShouldNotContain("unforeseen");
    }

    private async Task<bool> AnswerAsync(EdgeStandIn server, Seen seen, HttpContext http)
    {
        if (seen.What == Directives.Registration)
        {
            // Recorded but for the certificate, which has to be of this device's key.
            var body = JsonNode.Parse(Captures.Body("05-registration-200.json", "response"))!;
            body["content"]!["certificate"] = server.Issue(seen);
            await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(body.ToJsonString()));
            return true;
        }

        var capture = seen.What switch
        {
            Directives.Enrolment => Interlocked.Increment(ref _enrolments) == 1 ? "03-enrolment-first-200.json" : "04-enrolment-approved-208.json",
            "data/in" when seen.Certificate.Subject.Contains("CN=register", StringComparison.Ordinal) => "01-get-config-with-registration-cert-401.json",
            "data/in" => _deleted ? "14-get-config-device-deleted-404.json" : _configuration,
            "control/in" => _deleted ? "13-get-control-disconnect-200.json" : "07-get-control-empty-200.json",
            Directives.Heartbeat => _deleted ? "12-heartbeat-device-deleted-404.json" : "08-heartbeat-first-full-hardware-200.json",
            Directives.Ansible => "11-ansible-none-500.json",
            _ => null,
        };
        if (capture is null)
            return false;
        http.Response.StatusCode = Captures.Status(capture);
        await http.Response.Body.WriteAsync(Captures.Body(capture, "response"));
        return true;
    }
}
