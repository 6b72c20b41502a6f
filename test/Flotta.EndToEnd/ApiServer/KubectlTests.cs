namespace Flotta.EndToEnd.ApiServer;

/// <summary>What people do with kubectl, with every kubectl that is on this machine, against `flotta api-server`.</summary>
public sealed class KubectlTests
{
    private const string Things = """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: things.example.com}
        spec:
          group: example.com
          scope: Namespaced
          names: {plural: things, singular: thing, kind: Thing, shortNames: [th]}
          versions:
          - name: v1
            served: true
            storage: true
            subresources: {status: {}}
            additionalPrinterColumns:
            - {name: Size, type: integer, jsonPath: .spec.size}
            schema:
              openAPIV3Schema:
                type: object
                properties:
                  spec:
                    type: object
                    description: What is wanted.
                    properties:
                      size: {type: integer, minimum: 1, default: 3, description: How big it is.}
                      color: {type: string}
        """;

    /// <summary>All on PATH, and Debian's where another one is before it.</summary>
    public static TheoryData<string> Kubectls =>
    [
        .. (Environment.GetEnvironmentVariable("PATH") + ":" + Environment.GetEnvironmentVariable("FLOTTA_TEST_KUBECTL_PATH"))
            .Split(':', StringSplitOptions.RemoveEmptyEntries).Append("/usr/bin")
            // /bin is /usr/bin on most machines.
            .Select(folder => Path.Combine(Directory.Exists(folder) ? Directory.ResolveLinkTarget(folder, returnFinalTarget: true)?.FullName ?? folder : folder, "kubectl")).Where(File.Exists).Distinct(StringComparer.Ordinal),
    ];

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Kubectls))]
    public async Task Everything_that_people_do_with_kubectl_works(string kubectl)
    {
        using var folder = new TemporaryFolder();
        await using var server = RunningProgram.Start(Programs.Flotta, ["api-server", "--data-dir", folder.Path, "--kube-port", "0"]);
        await server.LineAsync(line => line.StartsWith("ready ", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        var edit = Script(folder, "edit.sh", "#!/bin/sh\nsed -i 's/color: red/color: blue/' \"$1\"\n");

        await Works("created", "apply", "-f", Manifest("crd.yaml", Things));
        await Works("condition met", "wait", "--for=condition=established", "crd/things.example.com", "--timeout=10s");
        await Works("things", "api-resources", "--api-group=example.com");
        await Works("How big it is.", "explain", "thing.spec.size");
        await Works("thing.example.com/a created", "apply", "-f", Thing("red"));
        await Works("thing.example.com/a unchanged", "apply", "-f", Thing("red"));
        await Works("SIZE", "get", "th");
        await Works("3", "get", "thing", "a", "-o", "jsonpath={.spec.size}");
        await Works("thing.example.com/a edited", "edit", "thing", "a");
        await Works("blue", "get", "thing", "a", "-o", "jsonpath={.spec.color}");
        await Works("labeled", "label", "thing", "a", "tier=x");
        await Works("annotated", "annotate", "thing", "a", "note=y");
        await Works("thing.example.com/a", "get", "things", "-l", "tier=x", "-o", "name", "-A");
        await Works("patched", "patch", "thing", "a", "--type=merge", "-p", """{"spec":{"size":4}}""");
        await Works("patched", "patch", "thing", "a", "--type=json", "-p", """[{"op":"replace","path":"/spec/size","value":5}]""");
        await Works("4", "get", "thing", "a", "-o", "jsonpath={.metadata.generation}");
        await Fails("spec.size in body should be greater than or equal to 1", "patch", "thing", "a", "--type=merge", "-p", """{"spec":{"size":0}}""");
        await Fails("things.example.com \"nothing\" not found", "get", "thing", "nothing");
        await Works("configmap/c created", "create", "configmap", "c", "--from-literal=k=v");
        await Works("secret/s created", "create", "secret", "generic", "s", "--from-literal=k=v");
        await Works("k:  1 bytes", "describe", "secret", "s");
        await Works("namespace/elsewhere created", "create", "namespace", "elsewhere");
        await Works("Active", "get", "namespace", "elsewhere");
        await Fails("not found", "-n", "nowhere", "create", "configmap", "c");
        var uid = (await Run(["get", "thing", "a", "-o", "jsonpath={.metadata.uid}"])).Output;
        await Works("event/e created", "apply", "-f", Manifest("event.yaml", $$"""
            apiVersion: v1
            kind: Event
            metadata: {name: e, namespace: default}
            involvedObject: {apiVersion: example.com/v1, kind: Thing, name: a, namespace: default, uid: "{{uid}}" }
            type: Warning
            reason: TooBig
            message: it does not fit
            lastTimestamp: "2026-01-01T00:00:00Z"
            """));
        await Works("it does not fit", "describe", "thing", "a");
        await Works("TooBig", "get", "events", "--field-selector", "involvedObject.name=a");
        await Works("yes", "auth", "can-i", "get", "configmaps");
        await Works("configured", "apply", "-f", Thing("green"));
        await Works("replaced", "replace", "-f", Thing("white"));
        await Works("deleted", "delete", "thing", "a");
        await Works("deleted", "delete", "namespace", "elsewhere");
        await Fails("not found", "get", "namespace", "elsewhere");
        await Works("deleted", "delete", "crd", "things.example.com");
        await Works("ok", "get", "--raw", "/readyz");

        string Manifest(string name, string text)
        {
            var path = Path.Combine(folder.Path, name);
            File.WriteAllText(path, text);
            return path;
        }

        string Thing(string color) => Manifest("thing.yaml", $$"""
            apiVersion: example.com/v1
            kind: Thing
            metadata: {name: a, namespace: default}
            spec: {color: {{color}}}
            """);

        async Task Works(string expected, params string[] arguments)
        {
            var (code, _, said) = await Run(arguments);
            code.ShouldBe(0, $"kubectl {string.Join(' ', arguments)}: {said}");
            said.ShouldContain(expected);
        }

        async Task Fails(string expected, params string[] arguments)
        {
            var (code, _, said) = await Run(arguments);
            code.ShouldNotBe(0, said);
            said.ShouldContain(expected);
        }

        Task<(int ExitCode, string Output, string Said)> Run(string[] arguments) => RunningProgram.RunAsync(
            kubectl,
            ["--kubeconfig", Path.Combine(folder.Path, "kubeconfig"), "--cache-dir", Path.Combine(folder.Path, "cache"), .. arguments],
            new Dictionary<string, string> { ["EDITOR"] = edit, ["KUBE_EDITOR"] = edit });
    }

    private static string Script(TemporaryFolder folder, string name, string text)
    {
        var path = Path.Combine(folder.Path, name);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}
