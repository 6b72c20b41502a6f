using System.Text.Json.Nodes;
using Flotta.EdgeApi;
using Flotta.Operator;
using Flotta.Resources;

namespace Flotta.Tests.Deploy;

/// <summary>deploy/helm/flotta says the same as deploy/kubernetes.</summary>
public sealed class ChartTests
{
    // Values that need not be given, or may not be.
    private static readonly string[] Optional =
        ["operator.config.MAX_CONCURRENT_RECONCILES", "operator.config.ENABLE_WEBHOOKS", "operator.config.WEBHOOK_PORT", "operator.config.METRICS_ADDR", "edgeApi.config.METRICS_ADDR"];

    private static readonly string Base = Path.Combine(Repository.Root, "deploy", "kubernetes");

    [Fact]
    public void The_chart_as_it_comes_is_the_kustomize_base()
    {
        // The namespace is Helm's to make, and the definitions lie in crds/.
        var expected = ManifestText.OfKustomization(Base).Where(thing => thing["kind"] is not ("Namespace" or "CustomResourceDefinition")).ToDictionary(ManifestText.Key);
        var rendered = Chart.Render("flotta").ToDictionary(ManifestText.Key);
        rendered.Keys.Order().ShouldBe(expected.Keys.Order());
        foreach (var (key, thing) in rendered)
        {
            // Makes the pods anew when the ConfigMap changes; kustomize leaves that to the person.
            if (ManifestText.At(thing, "spec.template.metadata") is Dictionary<object, object> pod) pod.Remove("annotations");
            ManifestText.Lines(thing).ShouldBe(ManifestText.Lines(expected[key]), key);
        }
    }

    [Fact]
    public void The_chart_has_the_definitions_of_the_base()
    {
        foreach (var (name, yaml) in DefinitionManifests.All)
            Directory.EnumerateFiles(Path.Combine(Chart.Folder, "crds")).Select(File.ReadAllText).ShouldContain(yaml, name);
    }

    [Fact]
    public void In_another_namespace_nothing_stays_behind_but_the_rights_on_enrolment_requests()
    {
        var things = Chart.Render("edge");
        things.Where(thing => ManifestText.At(thing, "metadata.namespace") is "flotta").ShouldBeEmpty();
        things.Where(thing => ManifestText.At(thing, "metadata.namespace") is "default").Select(ManifestText.Key)
            .ShouldBe(["Role default/flotta-enrolment-role", "RoleBinding default/flotta-enrolment-rolebinding"]);
        // A group is of no namespace.
        things.Where(thing => thing["kind"] is "ClusterRoleBinding" or "RoleBinding" && ManifestText.At(thing, "subjects.0.kind") is not "Group").ShouldAllBe(thing => (string)ManifestText.At(thing, "subjects.0.namespace")! == "edge");
    }

    [Fact]
    public void What_can_be_switched_on_and_off_comes_and_goes()
    {
        var things = Chart.Render(
            "flotta",
            ("podDisruptionBudget", "false"), ("networkPolicy", "false"), ("monitoring.serviceMonitors", "true"), ("ingress.enabled", "true"), ("route.enabled", "true"),
            ("operator.nodeSelector", new Dictionary<object, object> { ["kubernetes.io/arch"] = "amd64" }),
            ("image.pullSecrets", new List<object> { new Dictionary<object, object> { ["name"] = "registry" } }));
        var kinds = things.Select(thing => (string)thing["kind"]).ToHashSet();
        kinds.ShouldNotContain("PodDisruptionBudget");
        kinds.ShouldNotContain("NetworkPolicy");
        new[] { "ServiceMonitor", "Ingress", "Route" }.ShouldBeSubsetOf(kinds);
        var pod = ManifestText.At(things.Single(thing => ManifestText.Key(thing) == "Deployment flotta/flotta-controller-manager"), "spec.template.spec");
        ManifestText.At(pod, "imagePullSecrets.0.name").ShouldBe("registry");
        ((Dictionary<object, object>)ManifestText.At(pod, "nodeSelector")!)["kubernetes.io/arch"].ShouldBe("amd64");
    }

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public void The_API_server_asks_the_Operator_exactly_when_it_answers(string webhooks)
    {
        var things = Chart.Render("flotta", ("webhooks", webhooks)).ToDictionary(ManifestText.Key);
        var options = OperatorOptions.FromEnvironment(name => ManifestText.At(things["ConfigMap flotta/flotta-manager-config"], "data." + name) as string);
        things.Keys.Any(key => key.StartsWith("ValidatingWebhookConfiguration", StringComparison.Ordinal)).ShouldBe(options.EnableWebhooks);
        options.EnableWebhooks.ShouldBe(webhooks == "true");
    }

    [Fact]
    public void The_ports_that_the_templates_name_cannot_be_configured_away()
    {
        var schema = JsonNode.Parse(File.ReadAllText(Path.Combine(Chart.Folder, "values.schema.json")))!["properties"]!;
        var things = ManifestText.OfKustomization(Base).ToDictionary(ManifestText.Key);
        foreach (var (program, deployment, variable, port) in new[]
        {
            ("operator", "flotta-controller-manager", "WEBHOOK_PORT", 0), ("operator", "flotta-controller-manager", "METRICS_ADDR", 1),
            ("edgeApi", "flotta-edge-api", "HTTPS_PORT", 0), ("edgeApi", "flotta-edge-api", "METRICS_ADDR", 1),
        })
        {
            var only = schema[program]!["properties"]!["config"]!["properties"]![variable]!["const"]!.GetValue<string>();
            only.TrimStart(':').ShouldBe(ManifestText.At(things[$"Deployment flotta/{deployment}"], $"spec.template.spec.containers.0.ports.{port}.containerPort"), variable);
        }
    }

    [Fact]
    public void The_schema_of_the_values_knows_every_value_and_no_other()
    {
        var schema = JsonNode.Parse(File.ReadAllText(Path.Combine(Chart.Folder, "values.schema.json")))!.AsObject();
        var values = ManifestText.Read(File.ReadAllText(Path.Combine(Chart.Folder, "values.yaml"))).Single();
        schema["additionalProperties"]!.GetValue<bool>().ShouldBeFalse();
        Paths(schema, "").Where(path => !path.StartsWith("global", StringComparison.Ordinal)).Except(Optional).Order(StringComparer.Ordinal)
            .ShouldBe(Paths(values, schema, "").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_programs_understand_the_environment_that_they_are_given()
    {
        var things = ManifestText.OfKustomization(Base).ToDictionary(ManifestText.Key);
        Func<string, string?> Variables(string map) => name => ManifestText.At(things[$"ConfigMap flotta/{map}"], "data." + name) as string;
        OperatorOptions.FromEnvironment(Variables("flotta-manager-config")).LeaderElect.ShouldBeTrue();
        var edge = EdgeApiOptions.FromEnvironment(Variables("flotta-edge-api-config"));
        ManifestText.At(things["Deployment flotta/flotta-edge-api"], "spec.template.spec.containers.0.ports.0.containerPort").ShouldBe(edge.Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public void The_pods_are_not_root_and_leave_it_to_the_cluster_which_user_they_are()
    {
        var pods = ManifestText.OfKustomization(Base).Where(thing => thing["kind"] is "Deployment").Select(thing => ManifestText.At(thing, "spec.template.spec.securityContext")).ToList();
        pods.Count.ShouldBe(2);
        foreach (var pod in pods)
        {
            ManifestText.At(pod, "runAsNonRoot").ShouldBe("true");
            ManifestText.At(pod, "runAsUser").ShouldBeNull();
            ManifestText.At(pod, "runAsGroup").ShouldBeNull();
        }

        // By a name in the image nobody could tell that it is not root.
        File.ReadAllText(Path.Combine(Repository.Root, "deploy", "image", "Containerfile.control-plane")).ShouldMatch(@"(?m)^USER [1-9]\d*:\d+$");
    }

    private static IEnumerable<string> Paths(JsonObject schema, string path) => schema["properties"] is JsonObject properties
        ? properties.SelectMany(property => Paths(property.Value!.AsObject(), Join(path, property.Key)))
        : [path];

    // As deep as the schema goes: beyond that it lets everything pass.
    private static IEnumerable<string> Paths(object value, JsonObject schema, string path) => value is Dictionary<object, object> map && schema["properties"] is JsonObject properties
        ? map.SelectMany(pair => Paths(pair.Value, properties[(string)pair.Key] as JsonObject ?? [], Join(path, (string)pair.Key)))
        : [path];

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}
