using Flotta.Kube;
using Flotta.Resources;

namespace Flotta.Tests.Kube;

public sealed class SharedTextTests
{
    /// <summary>Nearly always: two texts may have the same place, and other tests read texts at the same time.</summary>
    [Fact]
    public void What_stands_in_every_device_is_kept_once()
    {
        const int devices = 50, labels = 20;
        var all = Enumerable.Range(0, devices).Select(number => Device($"till-{number}", labels)).ToList();
        all.Select(device => device.Metadata.Name).ShouldBe(Enumerable.Range(0, devices).Select(number => $"till-{number}"));
        Copies(all.SelectMany(device => device.Metadata.Labels.Keys)).ShouldBeLessThan(devices * labels / 4);
        Copies(all.SelectMany(device => device.Metadata.Labels.Values)).ShouldBeLessThan(devices * labels / 4);
        Copies(all.SelectMany(device => device.Status!.Conditions!.Select(condition => condition.Type))).ShouldBeLessThan(devices * labels / 4);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Zürich")]
    [InlineData("a \"quoted\" line\nand another")]
    [InlineData("longer than what is worth to be looked up, and so it is read each time that it comes")]
    public void Every_text_is_what_it_was(string text)
    {
        for (var time = 0; time < 2; time++)
        {
            var device = KubeJson.Deserialize<EdgeDevice>(KubeJson.Serialize(new EdgeDevice { Metadata = new() { Name = text, Labels = new Dictionary<string, string> { [text] = text } } }))!;
            device.Metadata.Name.ShouldBe(text);
            device.Metadata.Labels.Single().ShouldBe(KeyValuePair.Create(text, text));
        }
    }

    [Fact]
    public void What_is_absent_stays_absent() => KubeJson.Deserialize<EdgeDevice>("""{"metadata":{"name":"a","namespace":null}}""")!.Metadata.NamespaceProperty.ShouldBeNull();

    private static int Copies(IEnumerable<string> texts) => texts.Distinct(ReferenceEqualityComparer.Instance).Count();

    private static EdgeDevice Device(string name, int labels)
    {
        var each = Enumerable.Range(0, labels);
        return KubeJson.Deserialize<EdgeDevice>(
            $$$"""
            {"metadata":{"name":"{{{name}}}","labels":{ {{{string.Join(',', each.Select(number => $"\"device.fact-{number}\":\"value-{number}\""))}}} }},
             "status":{"conditions":[{{{string.Join(',', each.Select(number => $$"""{"type":"Condition{{number}}","status":"True"}"""))}}}]}}
            """)!;
    }
}
