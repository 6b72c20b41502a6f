using System.Diagnostics;

namespace Flotta.EndToEnd;

/// <summary>The journey that every control plane must take a device on: enrol, be approved, register, run what is applied, let it go, be deleted.</summary>
internal static class Journey
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task FromEnrolmentToRunningAsync(ControlPlane plane, Device device, PodmanHost podman, Action<string> log)
    {
        await Eventually.EqualsAsync("True", () => plane.FieldAsync("edsr", device.Id, ".status.conditions[?(@.type==\"pending\")].status"), Patience);
        await plane.KubectlAsync("patch", "edsr", device.Id, "--type", "merge", "-p", """{"spec":{"approved":true}}""");
        await device.IsAsync("Connected", "True");

        var port = FreePort.Next();
        var clock = Stopwatch.StartNew();
        await plane.ApplyAsync(Manifests.Web("journey", port, Manifests.Matching("app", "journey")));
        await plane.KubectlAsync("label", "edgedevice", device.Id, "app=journey");
        await Web.AnswersAsync(port, Patience);
        log($"apply and label to answer: {clock.ElapsedMilliseconds} ms");
        await device.WorkloadIsAsync("journey", "Running");
        await device.IsAsync("WorkloadsReady", "True");

        clock.Restart();
        await plane.KubectlAsync("delete", "edgeworkload", "journey", "--timeout=20s");
        await Eventually.TrueAsync(async () => (await podman.RunAsync("pod", "ps", "--quiet")).Trim().Length == 0, Patience, () => device.Program.Said);
        log($"delete to gone: {clock.ElapsedMilliseconds} ms");

        await plane.KubectlAsync("delete", "edgedevice", device.Id, "--timeout=20s");
        // Others may use the same cluster; of this journey nothing is left.
        var left = (await plane.KubectlAsync("get", "edgedevices,edgeworkloads,edsr", "--all-namespaces", "-o", "name")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        left.ShouldNotContain(name => name.EndsWith("/" + device.Id, StringComparison.Ordinal) || name.EndsWith("/journey", StringComparison.Ordinal));
    }
}
