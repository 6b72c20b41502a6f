using System.Text.Json;

namespace Flotta.Agent.OperatingSystem;

/// <summary>Fedora IoT, RHEL for Edge, CoreOS: <c>rpm-ostree</c>.</summary>
internal sealed class RpmOstreeHost(HostTools tools) : IHostSystem
{
    public async Task<HostState> LookAsync(CancellationToken cancellationToken) => State(await StatusAsync(cancellationToken));

    public async Task StageAsync(string commit, string? url, CancellationToken cancellationToken)
    {
        if (url is { Length: > 0 })
            RemoteFile.Point(tools.Root, RemoteOf(await StatusAsync(cancellationToken)) ?? "edge", url);
        var bare = commit[(commit.LastIndexOf('@') + 1)..];
        // Says what would change, and fails before anything is written where there is no such commit.
        await tools.RunAsync(HostTools.Slow, "rpm-ostree", ["deploy", "--preview", bare], cancellationToken);
        await tools.RunAsync(HostTools.Slow, "rpm-ostree", ["deploy", bare], cancellationToken);
    }

    public Task TakeBackAsync(string commit, CancellationToken cancellationToken) => tools.RollBackAsync("rpm-ostree", this, commit, cancellationToken);

    /// <summary>The first deployment is the next boot's.</summary>
    internal static HostState State(JsonElement status)
    {
        var deployments = Deployments(status);
        var booted = deployments.FirstOrDefault(one => one.TryGetProperty("booted", out var flag) && flag.ValueKind == JsonValueKind.True);
        if (Commit(booted) is not { } commit)
            throw new HostException("rpm-ostree does not say what the machine runs");
        return new HostState(commit, Commit(deployments[0]) is { } first && first != commit ? first : null);
    }

    internal static string? RemoteOf(JsonElement status)
    {
        var booted = Deployments(status).FirstOrDefault(one => one.TryGetProperty("booted", out var flag) && flag.ValueKind == JsonValueKind.True);
        return booted.ValueKind == JsonValueKind.Object && booted.TryGetProperty("origin", out var origin) && origin.GetString() is { } text && text.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon
            ? text[..colon]
            : null;
    }

    private static List<JsonElement> Deployments(JsonElement status) =>
        status.ValueKind == JsonValueKind.Object && status.TryGetProperty("deployments", out var list) && list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray()] : [];

    // With packages of its own on top a deployment has a checksum of its own; the commit is the one below.
    private static string? Commit(JsonElement deployment)
    {
        if (deployment.ValueKind != JsonValueKind.Object)
            return null;
        foreach (var name in (string[])["base-checksum", "checksum"])
        {
            if (deployment.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } commit)
                return commit;
        }

        return null;
    }

    private async Task<JsonElement> StatusAsync(CancellationToken cancellationToken) =>
        HostTools.Json("rpm-ostree", await tools.RunAsync(HostTools.Quick, "rpm-ostree", ["status", "--json"], cancellationToken));
}
