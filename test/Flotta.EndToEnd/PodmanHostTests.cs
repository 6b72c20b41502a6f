namespace Flotta.EndToEnd;

public sealed class PodmanHostTests
{
    [Fact]
    public async Task It_runs_real_containers_and_leaves_nothing_behind()
    {
        string socket;
        await using (var podman = await PodmanHost.StartAsync())
        {
            socket = podman.Socket;
            (await podman.RunAsync("run", "--rm", "--network", "none", PodmanHost.Image, "/bin/sh", "-c", "echo $((40 + 2))")).Trim().ShouldBe("42");
            await podman.RunAsync("run", "-d", "--network", "none", PodmanHost.Image, "/bin/sleep", "1000");
        }

        File.Exists(socket).ShouldBeFalse();
        (await File.ReadAllTextAsync("/proc/self/mountinfo")).ShouldNotContain(Path.GetDirectoryName(socket)!);
    }
}
