using Flotta.Resources;
using Flotta.Resources.Validation;

namespace Flotta.Tests.Resources;

public sealed class ValidationTests
{
    [Theory]
    [InlineData("22:00", "06:00", "Mon", null)]
    [InlineData("25:00", "06:00", "Mon", "from: '25:00'")]
    [InlineData("22:00", "6", "Mon", "to: '6'")]
    [InlineData("22:00", "06:00", "monday", "days: 'monday'")]
    [InlineData("22:00", "22:00", "Mon", "never open")]
    public void A_schedule_is_made_of_times_and_days(string from, string to, string day, string? problem)
    {
        var errors = EdgeDeviceValidation.Errors(new() { Spec = new() { Storage = new() { Schedule = [new() { Days = [day], From = from, To = to }] } } });
        if (problem is null)
            errors.ShouldBeEmpty();
        else
            errors.ShouldHaveSingleItem().ShouldContain(problem);
    }

    [Fact]
    public void Data_paths_stay_in_their_place()
    {
        var pod = PodSpec.Parse("""{"containers":[{"name":"c","image":"i"}]}""");
        var data = new DataPaths { Egress = [new() { Source = "../etc", Target = "/a" }], Ingress = [new() { Source = "a/..b", Target = "a/../../b" }] };
        EdgeWorkloadValidation.Errors(new() { Spec = new() { Device = "d", Type = "pod", Pod = new() { Spec = pod }, Data = data } }).ShouldBe(["spec.data.egress: the source '../etc' leaves /export", "spec.data.ingress: the target 'a/../../b' leaves /export"]);
    }

    [Theory]
    [InlineData("""{"containers":[{"name":"c","image":"i"}]}""")]
    [InlineData("""{"containers":[{"name":"c","image":"i","resources":{"limits":{"memory":"64Mi"},"requests":{"cpu":"1"}},"livenessProbe":{"exec":{"command":["true"]}}}]}""")]
    [InlineData("""{"containers":[{"name":"c","image":"i","env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}],"ports":[{"containerPort":1,"hostPort":80},{"containerPort":1,"hostPort":80,"protocol":"UDP"}]}]}""")]
    [InlineData("""{"volumes":[{"name":"a","emptyDir":{}},{"name":"b","configMap":{"name":"m"}},{"name":"c","secret":{"secretName":"s"}},{"name":"d","persistentVolumeClaim":{"claimName":"p"}},{"name":"e","hostPath":{"path":"/x"}}],"containers":[{"name":"c","image":"i","volumeMounts":[{"name":"a","mountPath":"/a"}]}]}""")]
    [InlineData("""{"containers":[{"name":"c","image":"i","env":[{"name":"A","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}},{"name":"B","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['x']"}}},{"name":"C","valueFrom":{"resourceFieldRef":{"resource":"limits.memory"}}}]}]}""")]
    [InlineData("""{"containers":[{"name":"c","image":"i"}],"volumes":[{"name":"v","projected":{"sources":[]}}]}""")]
    public void What_a_device_can_run_is_accepted(string pod) => Errors(pod).ShouldBeEmpty();

    [Theory]
    [InlineData("""{"containers":[{"name":"c","image":"i","lifecycle":{}}]}""", "containers[c].lifecycle")]
    [InlineData("""{"containers":[{"name":"c","image":"i","readinessProbe":{"grpc":{"port":1}}}]}""", "containers[c].readinessProbe.grpc")]
    [InlineData("""{"containers":[{"name":"c","image":"i","startupProbe":{"grpc":{"port":1}}}]}""", "containers[c].startupProbe.grpc")]
    [InlineData("""{"containers":[{"name":"c","image":"i","livenessProbe":{"grpc":{"port":1}}}]}""", "containers[c].livenessProbe.grpc")]
    [InlineData("""{"containers":[{"name":"c","image":"i","volumeDevices":[{"name":"d","devicePath":"/d"}]}]}""", "containers[c].volumeDevices")]
    [InlineData("""{"containers":[{"name":"c","image":"i","env":[{"name":"A","valueFrom":{"fieldRef":{"fieldPath":"x"}}}]}]}""", "containers[c].env[A].ValueFrom.fieldRef")]
    [InlineData("""{"containers":[{"name":"c","image":"i","env":[{"name":"A","valueFrom":{"resourceFieldRef":{"resource":"x"}}}]}]}""", "containers[c].env[A].ValueFrom.resourceFieldRef")]
    [InlineData("""{"containers":[{"name":"c","image":"i"}],"volumes":[{"name":"v","nfs":{"server":"s","path":"/p"}}]}""", "volumes[v]")]
    [InlineData("""{"containers":[{"name":"c","image":"i"}],"initContainers":[{"name":"c","image":"i"}]}""", "container name: 'c' has been reused")]
    [InlineData("""{"containers":[{"name":"c","image":"i","ports":[{"containerPort":1,"hostPort":9100}]}]}""", "9100 is reserved")]
    [InlineData("""{"containers":[{"name":"c","image":"i","ports":[{"containerPort":1,"hostPort":80},{"containerPort":2,"hostPort":80}]}]}""", "80/TCP is used twice")]
    [InlineData("""{"containers":[{"name":"c","image":"i","volumeMounts":[{"name":"v","mountPath":"/v"}]}]}""", "names no volume")]
    [InlineData("""{"containers":[{"name":"c"}]}""", "containers[c].image is missing")]
    [InlineData("""{"containers":[]}""", "no containers")]
    public void What_cannot_run_is_refused_by_its_path(string pod, string path) => Errors(pod).ShouldHaveSingleItem().ShouldContain(path);

    [Fact]
    public void All_errors_come_in_one_answer()
    {
        var errors = Errors("""
            {"containers":[{"name":"c","image":"i","lifecycle":{}},{"name":"d","image":"i","startupProbe":{"grpc":{"port":1}},"ports":[{"containerPort":1,"hostPort":9100}]}]}
            """);
        errors.ShouldBe([
            "the following paths in podSpec are not supported and should be removed: containers[c].lifecycle,containers[d].startupProbe.grpc",
            "the host port 9100 is reserved for node_exporter",
        ]);
    }

    [Fact]
    public void A_pod_workload_without_a_pod_is_refused_and_an_unknown_type_is_not()
    {
        EdgeWorkloadValidation.Errors(new() { Spec = new() { Type = "pod" } }).ShouldBe(["spec.pod is missing"]);
        EdgeWorkloadValidation.Errors(new() { Spec = new() { Type = "ansible" } }).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(true, null, null, true)]
    [InlineData(true, "s", null, false)]
    [InlineData(true, null, "m", false)]
    [InlineData(true, "", "", true)]
    [InlineData(false, "s", "m", true)]
    [InlineData(null, "s", "m", true)]
    public void A_bucket_is_either_claimed_or_named(bool? claim, string? secret, string? map, bool valid) =>
        EdgeDeviceValidation.Errors(new() { Spec = new() { Storage = new() { S3 = new() { CreateObc = claim, SecretName = secret, ConfigMapName = map } } } })
            .Count.ShouldBe(valid ? 0 : 1);

    [Fact]
    public void A_monitor_has_a_name_of_its_own_and_a_lower_mark_that_is_lower()
    {
        ResourceMonitor good = new() { Name = "disk", Resource = "disk", Path = "/var", Threshold = 85, ResetBelow = 80 };
        EdgeDeviceValidation.Errors(new() { Spec = new() { Monitors = [good] } }).ShouldBeEmpty();
        EdgeDeviceSetValidation.Errors(new() { Spec = new() { Monitors = [good, good] } }).ShouldBe(["spec.monitors[disk] is there twice"]);
        EdgeDeviceValidation.Errors(new() { Spec = new() { Monitors = [good with { Name = "Disk " }, good with { ResetBelow = 90 }, good with { Name = "cpu", Resource = "cpu" }] } }).Count.ShouldBe(3);
        EdgeDeviceValidation.Errors(new() { Spec = new() { Monitors = [.. Enumerable.Range(0, 21).Select(index => good with { Name = $"d{index}" })] } }).ShouldHaveSingleItem();
    }

    private static IReadOnlyList<string> Errors(string pod) =>
        EdgeWorkloadValidation.Errors(new() { Spec = new() { Type = "pod", Pod = new() { Spec = PodSpec.Parse(pod) } } });
}
