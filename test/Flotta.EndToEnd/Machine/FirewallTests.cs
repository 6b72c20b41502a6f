using Flotta.Agent.Firewall;
using Flotta.Agent.Processes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.EndToEnd.Machine;

/// <summary>The real nft, in a table of the test's own.</summary>
public sealed class FirewallTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Rules_follow_the_published_ports_come_back_when_flushed_and_go_with_the_last()
    {
        var device = "test-" + Guid.NewGuid().ToString("N");
        var table = Ruleset.TableOf(device);
        using var firewall = new FirewallLoop(device, NullLogger<FirewallLoop>.Instance, TimeProvider.System);
        using var stop = new CancellationTokenSource();
        var running = firewall.RunAsync(stop.Token);
        try
        {
            firewall.Apply([new OpenPort("1st.web-app", 18080, Udp: false), new OpenPort("1st.web-app", 15353, Udp: true)]);
            await Eventually.TrueAsync(async () => await ListAsync(table) is var rules && rules.Contains("tcp dport 18080", StringComparison.Ordinal) && rules.Contains("udp dport 15353", StringComparison.Ordinal), Patience);
            (await Tool.RunAsync("nft", ["delete", "table", "inet", table], null, Patience, CancellationToken.None)).IsOk.ShouldBeTrue();
            firewall.Apply([new OpenPort("1st.web-app", 18080, Udp: false), new OpenPort("1st.web-app", 15353, Udp: true)]);
            await Eventually.TrueAsync(async () => (await ListAsync(table)).Contains("tcp dport 18080", StringComparison.Ordinal), Patience);
            firewall.Apply([]);
            await Eventually.TrueAsync(async () => (await ListAsync(table)).Length == 0, Patience);
        }
        finally
        {
            await stop.CancelAsync();
            await running.ContinueWith(static _ => { }, TaskScheduler.Default);
            await firewall.RemoveAllAsync(CancellationToken.None);
        }
    }

    private static async Task<string> ListAsync(string table) => (await Tool.RunAsync("nft", ["list", "table", "inet", table], null, Patience, CancellationToken.None)).Output;
}
