namespace Flotta.Agent.OperatingSystem;

/// <summary>A system of ostree alone, such as one that is built from Debian.</summary>
internal sealed class OstreeHost(HostTools tools) : IHostSystem
{
    private const string Remote = "edge";

    private string Repository => Path.Combine(tools.Root, "ostree/repo");

    public async Task<HostState> LookAsync(CancellationToken cancellationToken)
    {
        var deployments = Deployments(await StatusAsync(cancellationToken));
        var booted = deployments.FirstOrDefault(one => one.Booted) ?? throw new HostException("ostree does not say what the machine runs");
        return new HostState(booted.Commit, deployments[0].Commit != booted.Commit ? deployments[0].Commit : null);
    }

    public async Task StageAsync(string commit, string? url, CancellationToken cancellationToken)
    {
        var bare = commit[(commit.LastIndexOf('@') + 1)..];
        if (url is { Length: > 0 })
            RemoteFile.Point(tools.Root, Remote, url);
        var booted = Deployments(await StatusAsync(cancellationToken)).FirstOrDefault(one => one.Booted) ?? throw new HostException("ostree does not say what the machine runs");
        if (url is { Length: > 0 } || File.Exists(Path.Combine(tools.Root, "etc/ostree/remotes.d", Remote + ".conf")))
            await tools.RunAsync(HostTools.Slow, "ostree", ["pull", "--repo=" + Repository, Remote, bare], cancellationToken);
        await tools.RunAsync(HostTools.Slow, "ostree", ["admin", "deploy", "--sysroot=" + tools.Root, "--os=" + booted.Os, bare], cancellationToken);
    }

    public async Task TakeBackAsync(string commit, CancellationToken cancellationToken)
    {
        var deployments = Deployments(await StatusAsync(cancellationToken));
        if (deployments.Count > 0 && Upgrade.Same(deployments[0].Commit, commit))
            return;
        // What the machine keeps of it is enough; older versions have no other way to change the default.
        var before = deployments.Find(one => Upgrade.Same(one.Commit, commit)) ?? throw new HostException($"ostree keeps no deployment of {commit}");
        await tools.RunAsync(HostTools.Slow, "ostree", ["admin", "deploy", "--sysroot=" + tools.Root, "--os=" + before.Os, before.Commit], cancellationToken);
    }

    /// <summary>In the order of the boot menu: lines such as <c>* debian 0123….0</c>, the star at what runs; what is below them is indented further.</summary>
    internal static List<Deployment> Deployments(string status)
    {
        var found = new List<Deployment>();
        foreach (var line in status.Split('\n'))
        {
            if (line.Length < 3 || line[1] != ' ' || line[0] is not ('*' or ' ') || line[2] == ' ')
                continue;
            var words = line[2..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length >= 2 && words[1].IndexOf('.', StringComparison.Ordinal) is 64 && words[1][..64].All(char.IsAsciiHexDigitLower))
                found.Add(new Deployment(line[0] == '*', words[0], words[1][..64]));
        }

        return found;
    }

    private Task<string> StatusAsync(CancellationToken cancellationToken) => tools.RunAsync(HostTools.Quick, "ostree", ["admin", "status", "--sysroot=" + tools.Root], cancellationToken);

    internal sealed record Deployment(bool Booted, string Os, string Commit);
}
