using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Verbs;

/// <summary>Where a list in pages goes on.</summary>
/// <param name="Revision">Of the first page; -1: whatever is now.</param>
internal sealed record ContinueToken(long Revision, string Namespace, string Name)
{
    public override string ToString() =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(
            new JsonObject { ["v"] = "meta.k8s.io/v1", ["rv"] = Revision, ["ns"] = Namespace, ["name"] = Name }.ToJsonString()));

    /// <exception cref="StatusException">It is not one of ours.</exception>
    public static ContinueToken Parse(string text)
    {
        try
        {
            var token = JsonNode.Parse(Base64Url.DecodeFromChars(text));
            if (token?["ns"].Text() is { } within && token["name"].Text() is { } name && token["rv"] is JsonValue revision && revision.TryGetValue<long>(out var number))
                return new ContinueToken(number, within, name);
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException)
        {
        }

        throw new StatusException(Status.BadRequest("invalid continue token: continue key is not valid: not a token of this server"));
    }
}
