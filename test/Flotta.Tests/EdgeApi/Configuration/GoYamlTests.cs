using System.Text.Json;
using CsCheck;
using Flotta.EdgeApi.Configuration;
using Flotta.Resources;
using YamlDotNet.Serialization;

namespace Flotta.Tests.EdgeApi.Configuration;

public sealed class GoYamlTests
{
    [Theory]
    [InlineData("\"plain\"", "plain\n")]
    [InlineData("\"8080\"", "\"8080\"\n")]
    [InlineData("\"-f\"", "-f\n")]
    [InlineData("\"- f\"", "'- f'\n")]
    [InlineData("\"/bin/httpd\"", "/bin/httpd\n")]
    [InlineData("\"true\"", "\"true\"\n")]
    [InlineData("\"no\"", "\"no\"\n")]
    [InlineData("\"\"", "\"\"\n")]
    [InlineData("\"1e3\"", "\"1e3\"\n")]
    [InlineData("\"1.2.3.4:514\"", "1.2.3.4:514\n")]
    [InlineData("\"12:30\"", "\"12:30\"\n")]
    [InlineData("\"2026-01-02\"", "\"2026-01-02\"\n")]
    [InlineData("\"a: b\"", "'a: b'\n")]
    [InlineData("\"a #b\"", "'a #b'\n")]
    [InlineData("\"it's\"", "it's\n")]
    [InlineData("\"'x'\"", "'''x'''\n")]
    [InlineData("\"{x}\"", "'{x}'\n")]
    [InlineData("\" x\"", "' x'\n")]
    [InlineData("\"a\\nb\\n\"", "|\n  a\n  b\n")]
    [InlineData("\"a\\nb\"", "|-\n  a\n  b\n")]
    [InlineData("\"a\\tb\"", "\"a\\tb\"\n")]
    [InlineData("80", "80\n")]
    [InlineData("null", "null\n")]
    [InlineData("{}", "{}\n")]
    [InlineData("{\"b\":[1,{\"y\":2,\"x\":[]}],\"a\":{}}", "a: {}\nb:\n- 1\n- x: []\n  \"y\": 2\n")]
    [InlineData("{\"m\":[[1,2],[]]}", "m:\n- - 1\n  - 2\n- []\n")]
    public void It_writes_as_Go_writes(string json, string yaml) => Write(json).ShouldBe(yaml);

    [Fact]
    public void Whatever_it_writes_reads_as_what_it_was() =>
        Gen.OneOf(Gen.String[Gen.Char["ab -:#'\"\\\n\t{}[],&*!|>%@`?~.0123456789eExoOyYnN_=<é\u0085\u2028\ufeff\u0001"], 0, 12], Gen.String).Sample(text =>
        {
            // What cannot be said in UTF-8 cannot come from JSON either.
            text = System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text)).Replace("\r", "", StringComparison.Ordinal);
            var yaml = Write(JsonSerializer.Serialize(new { a = new[] { text }, b = text }));
            var back = new DeserializerBuilder().Build().Deserialize<Document>(yaml);
            back.a.ShouldBe([text], yaml);
            back.b.ShouldBe(text, yaml);
        });

    [Fact]
    public void A_pod_is_written_as_the_original_writes_it() =>
        PodYaml.Of(PodSpec.Parse(
            """
            {"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"c","image":"img","args":[],"env":[{"name":"A","value":"1"}],"resources":null,
             "ports":[{"hostPort":8080,"containerPort":80}]},{"name":"d","resources":{"limits":{"cpu":"500m"}}}],"initContainers":[{"name":"i"}],"nodeName":null}
            """)).ShouldBe(
            """
            containers:
            - env:
              - name: A
                value: "1"
              image: img
              name: c
              ports:
              - containerPort: 80
                hostPort: 8080
              resources: {}
            - name: d
              resources:
                limits:
                  cpu: 500m
            initContainers:
            - name: i
              resources: {}
            volumes:
            - emptyDir: {}
              name: v

            """.ReplaceLineEndings("\n"));

    private static string Write(string json)
    {
        using var document = JsonDocument.Parse(json);
        return GoYaml.Write(document.RootElement);
    }

    private sealed class Document
    {
        public List<string> a { get; set; } = [];

        public string b { get; set; } = "";
    }
}
