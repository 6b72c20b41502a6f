using System.Text.Json;

namespace Flotta.Agent.OperatingSystem;

/// <summary>A machine that boots a container image: <c>bootc</c>. A commit is the digest of an image, with or without the image's name before it.</summary>
internal sealed class BootcHost(HostTools tools) : IHostSystem
{
    public static async Task<bool> IsManagedAsync(HostTools tools, CancellationToken cancellationToken)
    {
        try
        {
            return Digest(await StatusAsync(tools, cancellationToken), "booted") is not null;
        }
        catch (HostException)
        {
            return false;
        }
    }

    public async Task<HostState> LookAsync(CancellationToken cancellationToken)
    {
        var status = await StatusAsync(tools, cancellationToken);
        var booted = Digest(status, "booted") ?? throw new HostException("bootc does not say what the machine runs");
        return new HostState(booted, Digest(status, IsRollbackQueued(status) ? "rollback" : "staged"));
    }

    /// <param name="url">The name of the image, for a commit that is a digest alone; null: the one that runs.</param>
    public async Task StageAsync(string commit, string? url, CancellationToken cancellationToken)
    {
        var image = url is { Length: > 0 } ? url : Image(await StatusAsync(tools, cancellationToken));
        await tools.RunAsync(HostTools.Slow, "bootc", ["switch", Reference(commit, image)], cancellationToken);
    }

    public Task TakeBackAsync(string commit, CancellationToken cancellationToken) => tools.RollBackAsync("bootc", this, commit, cancellationToken);

    internal static string Reference(string commit, string? image)
    {
        var reference = commit.Contains('@') ? commit : image is { Length: > 0 } ? $"{Untagged(image)}@{commit}" : throw new HostException("which image the digest is of is not known: write the commit as IMAGE@sha256:…");
        return reference.Contains("@sha256:", StringComparison.Ordinal) && reference[0] != '-' ? reference : throw new HostException($"'{commit}' is no exact image: write it as IMAGE@sha256:…");
    }

    private static string Untagged(string image)
    {
        var bare = image.Split('@')[0];
        var colon = bare.LastIndexOf(':');
        return colon > bare.LastIndexOf('/') ? bare[..colon] : bare;
    }

    private static bool IsRollbackQueued(JsonElement status) =>
        status.TryGetProperty("status", out var inner) && inner.TryGetProperty("rollbackQueued", out var queued) && queued.ValueKind == JsonValueKind.True;

    private static string? Digest(JsonElement status, string which) => In(status, "status", which, "image", "imageDigest");

    private static string? Image(JsonElement status) => In(status, "status", "booted", "image", "image", "image");

    private static string? In(JsonElement element, params string[] path)
    {
        foreach (var name in path)
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element))
                return null;
        }

        return element.ValueKind == JsonValueKind.String && element.GetString() is { Length: > 0 } text ? text : null;
    }

    private static async Task<JsonElement> StatusAsync(HostTools tools, CancellationToken cancellationToken) =>
        HostTools.Json("bootc", await tools.RunAsync(HostTools.Quick, "bootc", ["status", "--format=json"], cancellationToken));
}
