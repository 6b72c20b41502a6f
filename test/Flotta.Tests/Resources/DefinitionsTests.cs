using System.Text.Json.Nodes;
using Flotta.Resources;
using k8s.Models;

namespace Flotta.Tests.Resources;

/// <summary>FLOTTA_WRITE_CRDS=1 in the environment rewrites deploy/kubernetes/crds instead of comparing.</summary>
public sealed class DefinitionsTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "deploy", "kubernetes", "crds");

    public static TheoryData<string> Plurals => new(Definitions.All.Select(definition => definition.Spec.Names.Plural));

    [Theory]
    [MemberData(nameof(Plurals))]
    public async Task The_checked_in_definition_is_what_the_types_say(string plural)
    {
        var definition = Find(plural);
        var path = Path.Combine(Folder, Definitions.FileName(definition));
        if (Environment.GetEnvironmentVariable("FLOTTA_WRITE_CRDS") is not null)
        {
            Directory.CreateDirectory(Folder);
            await File.WriteAllTextAsync(path, DefinitionText.Yaml(definition), TestContext.Current.CancellationToken);
        }

        (await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)).ShouldBe(
            DefinitionText.Yaml(definition),
            "The types changed. Run the tests once with FLOTTA_WRITE_CRDS=1 and commit the result.");
    }

    [Theory]
    [MemberData(nameof(Plurals))]
    public async Task The_yaml_says_the_same_as_the_definition(string plural)
    {
        var definition = Find(plural);
        var yaml = await File.ReadAllTextAsync(Path.Combine(Folder, Definitions.FileName(definition)), TestContext.Current.CancellationToken);
        var read = Flotta.ApiServer.Definitions.ObjectBody.ParseYaml(System.Text.Encoding.UTF8.GetBytes(yaml)).Root;
        JsonNode.DeepEquals(read, DefinitionText.Json(definition)).ShouldBeTrue();
    }

    [Theory]
    [InlineData("EdgeDevice", "edgedevices", "edgedevice", null)]
    [InlineData("EdgeDeviceSet", "edgedevicesets", "edgedeviceset", null)]
    [InlineData("EdgeDeviceSignedRequest", "edgedevicesignedrequest", "edgedevicesignedrequest", "edsr")]
    [InlineData("EdgeWorkload", "edgeworkloads", "edgeworkload", null)]
    [InlineData("EdgeConfig", "edgeconfigs", "edgeconfig", null)]
    [InlineData("PlaybookExecution", "playbookexecutions", "playbookexecution", null)]
    public void The_names_are_the_contract(string kind, string plural, string singular, string? shortName)
    {
        var definition = Find(plural);
        definition.Metadata.Name.ShouldBe(plural + ".management.project-flotta.io");
        definition.Spec.Scope.ShouldBe("Namespaced");
        definition.Spec.Names.Kind.ShouldBe(kind);
        definition.Spec.Names.ListKind.ShouldBe(kind + "List");
        definition.Spec.Names.Singular.ShouldBe(singular);
        definition.Spec.Names.ShortNames?.Single().ShouldBe(shortName);
        var version = definition.Spec.Versions.ShouldHaveSingleItem();
        version.Name.ShouldBe("v1alpha1");
        version.Subresources.Status.ShouldNotBeNull();
    }

    [Fact]
    public void Schemas_carry_what_the_attributes_say()
    {
        var device = Json("edgedevices");
        device["spec"]!["properties"]!["heartbeat"]!["properties"]!["periodSeconds"]!.ToJsonString()
            .ShouldBe("""{"description":"Seconds between two heartbeats. 60 when left out.","format":"int64","minimum":1,"type":"integer"}""");
        var log = device["spec"]!["properties"]!["logCollection"]!["additionalProperties"]!["properties"]!;
        log["kind"]!["enum"]!.ToJsonString().ShouldBe("""["syslog"]""");
        log["bufferSize"]!["default"]!.GetValue<int>().ShouldBe(12);
        log["syslogConfig"]!["required"]!.ToJsonString().ShouldBe("""["name"]""");
        device["status"]!["properties"]!["hardware"]!["required"]!.ToJsonString().ShouldBe("""["disks","gpus","interfaces"]""");
        Json("edgedevicesignedrequest")["spec"]!["properties"]!["approved"]!["default"]!.GetValue<bool>().ShouldBeFalse();
        Json("edgeworkloads")["spec"]!["properties"]!["metrics"]!["properties"]!["port"]!["maximum"]!.GetValue<int>().ShouldBe(65535);
        Json("edgeconfigs")["spec"]!["properties"]!["edgePlaybook"]!["properties"]!["playbooks"]!["minItems"]!.GetValue<int>().ShouldBe(1);
    }

    [Fact]
    public void The_schema_of_a_pod_is_that_of_Kubernetes()
    {
        var pod = Json("edgeworkloads")["spec"]!["properties"]!["pod"]!["properties"]!["spec"]!;
        pod["required"]!.ToJsonString().ShouldBe("""["containers"]""");
        var container = pod["properties"]!["containers"]!["items"]!;
        container["required"]!.ToJsonString().ShouldBe("""["name"]""");
        var ports = container["properties"]!["ports"]!;
        ports["x-kubernetes-list-map-keys"]!.ToJsonString().ShouldBe("""["containerPort","protocol"]""");
        ports["items"]!["properties"]!["protocol"]!["default"]!.GetValue<string>().ShouldBe("TCP");
        container["properties"]!["resources"]!["properties"]!["limits"]!["additionalProperties"]!["x-kubernetes-int-or-string"]!.GetValue<bool>().ShouldBeTrue();
        pod["properties"]!.AsObject().Select(property => property.Key).ShouldBe(
            [.. pod["properties"]!.AsObject().Select(property => property.Key).Order(StringComparer.Ordinal)]);
    }

    private static V1CustomResourceDefinition Find(string plural) => Definitions.All.Single(definition => definition.Spec.Names.Plural == plural);

    private static JsonNode Json(string plural) =>
        DefinitionText.Json(Find(plural).Spec.Versions[0].Schema.OpenAPIV3Schema)["properties"]!;
}
