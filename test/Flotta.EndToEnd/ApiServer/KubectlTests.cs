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
            subresources: {status: {}, scale: {specReplicasPath: .spec.size, statusReplicasPath: .status.size}}
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
                  status:
                    type: object
                    properties: {size: {type: integer}}
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
    public Task Everything_that_people_do_with_kubectl_works(string kubectl) => RunAllAsync(kubectl);

    [Fact]
    public async Task The_oldest_kubectl_that_counts_does_it_too() => await RunAllAsync(await OldKubectl.GetAsync());

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Kubectls))]
    public async Task A_watch_that_is_begun_again_goes_on_over_a_restart_of_the_server(string kubectl)
    {
        using var folder = new TemporaryFolder();
        await using var server = new ApiServerProcess(Path.Combine(folder.Path, "data"), FreePort.Next());
        await server.StartAsync();
        var again = Script(folder, "again.sh", $"#!/bin/sh\nwhile :; do {kubectl} --kubeconfig {server.Kubeconfig} get configmap watched -w -o 'jsonpath={{.data.x}}{{\"\\n\"}}'; sleep 0.1; done\n");
        await Kubectl("create", "configmap", "watched", "--from-literal=x=one");
        await using var watch = RunningProgram.Start(again, []);
        await watch.LineAsync(line => line == "one", TimeSpan.FromSeconds(30));
        await Kubectl("patch", "configmap", "watched", "-p", """{"data":{"x":"two"}}""");
        await watch.LineAsync(line => line == "two", TimeSpan.FromSeconds(30));
        await server.StopAsync();
        await server.StartAsync();
        await Kubectl("patch", "configmap", "watched", "-p", """{"data":{"x":"three"}}""");
        await watch.LineAsync(line => line == "three", TimeSpan.FromSeconds(30));

        async Task Kubectl(params string[] arguments)
        {
            var (code, _, said) = await RunningProgram.RunAsync(kubectl, ["--kubeconfig", server.Kubeconfig, .. arguments]);
            code.ShouldBe(0, said);
        }
    }

    private static async Task RunAllAsync(string kubectl)
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
        await Works("scaled", "scale", "thing", "a", "--replicas=7");
        await Works("7", "get", "thing", "a", "-o", "jsonpath={.spec.size}");
        await Fails("color: blue", "diff", "-f", Thing("violet"));
        await Works("serverside-applied", "apply", "--server-side", "--field-manager=other", "-f", Manifest("owned.yaml", """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: owned, namespace: default}
            data: {k: v}
            """));
        await Fails("conflict with \"other\"", "apply", "--server-side", "--field-manager=third", "-f", Manifest("taken.yaml", """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: owned, namespace: default}
            data: {k: w}
            """));
        await Works("serverside-applied", "apply", "--server-side", "--force-conflicts", "--field-manager=third", "-f", Path.Combine(folder.Path, "taken.yaml"));
        await Works("patched", "patch", "configmap", "owned", "-p", """{"data":{"more":"x"}}""");
        await Works("2", "get", "configmap", "owned", "--no-headers");
        await Works("created (dry run)", "create", "configmap", "dry", "--dry-run=client");
        await Works("created (server dry run)", "create", "configmap", "dry", "--dry-run=server");
        await Fails("not found", "get", "configmap", "dry");
        await Works("created", "create", "-f", Manifest("second.yaml", """
            apiVersion: v1
            kind: Secret
            metadata: {name: second, namespace: default}
            stringData: {k: v}
            """));
        await Works("labeled", "label", "thing", "a", "tier-");
        await Works("KIND", "explain", "configmap");
        await Works("configmaps", "api-resources", "--namespaced=true");
        await Works("events.k8s.io/v1", "api-versions");
        await Works("flotta", "version", "-o", "json");
        await Works("TooBig", "get", "events.events.k8s.io", "-o", "wide");
        await Fails("may not be deleted", "delete", "namespace", "default");
        await Works("created", "create", "role", "reader", "--verb=get,list", "--resource=configmaps");
        await Works("created", "create", "rolebinding", "readers", "--role=reader", "--user=alice");
        await Works("yes", "auth", "can-i", "list", "configmaps", "--as=alice");
        await Fails("no", "auth", "can-i", "list", "secrets", "--as=alice");
        await Works("[get list]", "auth", "can-i", "--list", "--as=alice");
        await Works("k: v", "get", "configmap", "c", "-o", "yaml", "--as=alice");
        await Fails("User \"alice\" cannot list resource \"secrets\" in API group \"\" in the namespace \"default\"", "get", "secrets", "--as=alice");
        await Works("default", "get", "serviceaccounts");
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
