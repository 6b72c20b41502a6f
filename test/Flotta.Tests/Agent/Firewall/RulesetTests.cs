using Flotta.Agent;
using Flotta.Agent.Firewall;
using Flotta.Agent.Workloads;
using Flotta.Tests.Agent.Workloads;

namespace Flotta.Tests.Agent.Firewall;

public sealed class RulesetTests
{
    [Fact]
    public void Published_ports_of_both_protocols_are_one_transaction()
    {
        var web = Desired.Web(extra: "  ports:\n  - {containerPort: 80, hostPort: 8080}\n  - {containerPort: 53, hostPort: 5353, protocol: UDP}\n  - {containerPort: 9}");
        var ports = PublishedPorts.Of(new DesiredWorkloads([web, Desired.Web("quiet"), Desired.Web("broken") with { Specification = "nonsense" }], []), "till-07", "/data");
        ports.ShouldBe([new OpenPort("web", 8080, Udp: false), new OpenPort("web", 5353, Udp: true)]);
        Ruleset.Of("t", ports).ShouldBe("""
            add table inet t
            delete table inet t
            table inet t {
              chain wl-web {
                udp dport 5353 ct state new,established counter accept
                tcp dport 8080 ct state new,established counter accept
              }
              chain input {
                type filter hook input priority 0; policy accept;
                jump wl-web
              }
            }

            """);
    }

    [Fact]
    public void With_nothing_published_there_is_no_table() => Ruleset.Of("t", []).ShouldBe("add table inet t\ndelete table inet t\n");

    [Fact]
    public void Two_devices_on_one_machine_have_two_tables() => Ruleset.TableOf("till-07").ShouldNotBe(Ruleset.TableOf("till-08"));
}
