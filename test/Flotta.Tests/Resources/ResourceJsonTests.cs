using System.Text.Json.Nodes;
using Flotta.Kube;
using Flotta.Resources;
using k8s;

namespace Flotta.Tests.Resources;

public sealed class ResourceJsonTests
{
    [Fact]
    public void A_device_is_written_back_as_it_was_read() => RoundTrip<EdgeDevice>("""
        {"apiVersion":"management.project-flotta.io/v1alpha1","kind":"EdgeDevice","metadata":{"name":"dev1","namespace":"default"},
         "spec":{"heartbeat":{"hardwareProfile":{"include":true,"scope":"full"},"periodSeconds":5},"requestTime":"2022-10-01T10:00:00Z",
                 "osInformation":{"automaticallyUpgrade":true,"commitID":"c","hostedObjectsURL":"u"},"storage":{"s3":{"createOBC":true}},
                 "metrics":{"retention":{"maxMiB":1,"maxHours":2},"system":{"interval":60,"allowList":{"name":"a"},"disabled":false},
                            "receiverConfiguration":{"requestNumSamples":3,"timeoutSeconds":4,"url":"https://x","caSecretName":"ca"}},
                 "logCollection":{"syslog":{"kind":"syslog","bufferSize":12,"syslogConfig":{"name":"s"}}},
                 "mounts":[{"device":"/dev/sda","folder":"/mnt","type":"ext4","options":"ro"}]},
         "status":{"phase":"up","lastSyncedResourceVersion":"1","dataObc":"o","lastSeenTime":"2022-10-01T10:00:00Z",
                   "hardware":{"disks":[],"gpus":[],"interfaces":[{"flags":[]}],"cpu":{"flags":["a"],"frequency":"3600.00","count":4},
                               "hostDevices":[{"path":"/dev/x","owner":-1,"group":2,"major":3,"minor":4}]},
                   "workloads":[{"name":"w","phase":"Running","lastTransitionTime":"2022-10-01T10:00:00Z"}],
                   "PlaybookExec":[{"name":"p","PlaybookExecutionStatus":{"conditions":[{"type":"Running","status":"True"}]}}],
                   "upgradeInformation":{"currentCommitID":"c","lastUpgradeStatus":"succeeded","lastUpgradeTime":"t"}}}
        """);

    [Fact]
    public void A_workload_keeps_what_nobody_here_knows_of_its_pod() => RoundTrip<EdgeWorkload>("""
        {"apiVersion":"management.project-flotta.io/v1alpha1","kind":"EdgeWorkload","metadata":{"name":"w","namespace":"default"},
         "spec":{"type":"pod","deviceSelector":{"matchLabels":{"a":"b"},"matchExpressions":[{"key":"k","operator":"In","values":["v"]}]},
                 "pod":{"spec":{"containers":[{"name":"c","image":"i","fromTheFuture":{"x":[1,"2"]},"resources":{"limits":{"cpu":"100m","memory":64}}}]}},
                 "data":{"egress":[{"source":"a","target":"b"}]},"metrics":{"port":8080,"path":"/","containers":{"c":{"disabled":true}}}}}
        """);

    [Fact]
    public void An_enrolment_request_and_a_playbook_are_written_back_as_they_were_read()
    {
        RoundTrip<EdgeDeviceSignedRequest>("""
            {"apiVersion":"management.project-flotta.io/v1alpha1","kind":"EdgeDeviceSignedRequest","metadata":{"name":"d"},
             "spec":{"targetNamespace":"default","approved":false,"features":{"modelName":"m","hardware":{"disks":[],"gpus":[],"interfaces":[]}}},
             "status":{"conditions":[{"type":"pending","status":"True","message":"m","lastTransitionTime":"2022-10-01T10:00:00Z"}]}}
            """);
        RoundTrip<PlaybookExecution>("""
            {"apiVersion":"management.project-flotta.io/v1alpha1","kind":"PlaybookExecution","metadata":{"name":"d"},
             "spec":{"executionAttempt":0,"playbook":{"content":"LS0tCg==","requiredPrivilegeLevel":{"capAdd":[1]},"privilegeEscalationOptions":{"become":true,"becomeMethod":"sudo"}}}}
            """);
    }

    [Fact]
    public void Lists_that_the_schema_requires_are_never_null() =>
        KubeJson.Deserialize<Hardware>("""{"disks":null,"cpu":{"flags":null}}""")!.ShouldSatisfyAllConditions(
            hardware => hardware!.Disks.ShouldBeEmpty(),
            hardware => hardware!.Cpu!.Flags.ShouldBeEmpty());

    [Fact]
    public void A_pod_shows_what_it_refers_to()
    {
        var pod = PodSpec.Parse("""
            {"containers":[{"name":"c","envFrom":[{"configMapRef":{"name":"m","optional":true}},{"secretRef":{"name":"s"}}],
                            "env":[{"name":"A","value":"1"},{"name":"B","valueFrom":{"secretKeyRef":{"name":"t","key":"k"}}},{"name":"C","valueFrom":{"fieldRef":{"fieldPath":"x"}}}],
                            "ports":[{"containerPort":80,"hostPort":8080}]}],
             "volumes":[{"name":"v","configMap":{"name":"n"}},{"name":"h","hostPath":{"path":"/x"}},{"name":"e","emptyDir":{}},{"name":"s","secret":{"secretName":"q"}}]}
            """);
        var container = pod.Containers.ShouldHaveSingleItem();
        container.EnvFrom[0].ConfigMap.ShouldBe(new PodReference("m", null, true));
        container.EnvFrom[1].Secret.ShouldBe(new PodReference("s", null, false));
        container.Env[1].Secret.ShouldBe(new PodReference("t", "k", false));
        container.Env[2].FieldRef.ShouldBe("x");
        container.Ports.ShouldHaveSingleItem().ShouldBe(new PodPort(null, 80, 8080, null, "TCP"));
        pod.Volumes.Select(volume => volume.Kind).ShouldBe(["configMap", "hostPath", "emptyDir", "secret"]);
        pod.Volumes[3].Secret!.Name.ShouldBe("q");
    }

    private static void RoundTrip<T>(string json) =>
        JsonNode.DeepEquals(JsonNode.Parse(KubeJson.Serialize(KubeJson.Deserialize<T>(json))), JsonNode.Parse(json))
            .ShouldBeTrue(KubeJson.Serialize(KubeJson.Deserialize<T>(json)));
}
