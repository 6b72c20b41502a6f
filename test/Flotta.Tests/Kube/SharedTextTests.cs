using Flotta.Kube;
using Flotta.Resources;

namespace Flotta.Tests.Kube;

public sealed class SharedTextTests
{
    [Fact]
    public void What_stands_in_every_device_is_kept_once()
    {
        var (one, other) = (Device("till-07"), Device("till-08"));
        one.Metadata.Name.ShouldBe("till-07");
        other.Metadata.Name.ShouldBe("till-08");
        other.Metadata.Labels.Keys.Single().ShouldBeSameAs(one.Metadata.Labels.Keys.Single());
        other.Metadata.Labels.Values.Single().ShouldBeSameAs(one.Metadata.Labels.Values.Single());
        other.Status!.Conditions![0].Type.ShouldBeSameAs(one.Status!.Conditions![0].Type);
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

    private static EdgeDevice Device(string name) => KubeJson.Deserialize<EdgeDevice>(
        $$$"""{"metadata":{"name":"{{{name}}}","labels":{"device.cpu-architecture":"x86_64"}},"status":{"conditions":[{"type":"Connected","status":"True"}]}}""")!;
}
