using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flotta.Agent.Workloads;

/// <summary>From the text of a docker auth file to podman's X-Registry-Auth header.</summary>
internal static class RegistryAuth
{
    private const int MaxBytes = 64 << 10;

    public static string? Header(string? authFile)
    {
        if (string.IsNullOrWhiteSpace(authFile))
            return null;
        if (authFile.Length > MaxBytes)
            throw new ManifestException("the registry credentials are too long");
        JsonObject? auths;
        try
        {
            auths = (JsonNode.Parse(authFile) as JsonObject)?.Map("auths");
        }
        catch (JsonException)
        {
            throw new ManifestException("the registry credentials are not JSON");
        }
        if (auths is null or { Count: 0 })
            return null;
        var header = new JsonObject();
        foreach (var (registry, entry) in auths)
        {
            if (entry is JsonObject credentials)
                header[registry] = Credentials(registry, credentials);
        }
        // base64url, as Go's URLEncoding: with padding.
        return Convert.ToBase64String(Encoding.UTF8.GetBytes(header.ToJsonString())).Replace('+', '-').Replace('/', '_');
    }

    private static JsonObject Credentials(string registry, JsonObject entry)
    {
        var (user, password) = (entry.Text("username"), entry.Text("password"));
        if (entry.Text("auth") is { Length: > 0 } auth)
        {
            var decoded = new byte[auth.Length];
            var plain = Convert.TryFromBase64String(auth, decoded, out var count) ? Encoding.UTF8.GetString(decoded, 0, count) : "";
            var colon = plain.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
                throw new ManifestException($"the credentials for registry {registry} are not base64 of user:password");
            (user, password) = (plain[..colon], plain[(colon + 1)..]);
        }
        var credentials = new JsonObject { ["username"] = user ?? "", ["password"] = password ?? "" };
        if (entry.Text("identitytoken") is { Length: > 0 } token)
            credentials["identitytoken"] = token;
        return credentials;
    }
}
