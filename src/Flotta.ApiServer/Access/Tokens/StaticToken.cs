using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Access.Tokens;

/// <summary>
/// A person's token as it is kept: only its hash, so that who reads the file can do nothing with it. Tokens have 256 random bits, so a plain hash is enough.
/// One JSON object a line.
/// </summary>
internal sealed record StaticToken(string Hash, string User, IReadOnlyList<string> Groups, DateTimeOffset Until)
{
    private const string Prefix = "flotta_";

    /// <summary>A new one, and the text that its holder shows.</summary>
    public static (StaticToken Kept, string Shown) Make(string user, IReadOnlyList<string> groups, DateTimeOffset until)
    {
        var shown = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        return (new StaticToken(HashOf(shown), user, groups, until), shown);
    }

    public static bool Looks(string token) => token.StartsWith(Prefix, StringComparison.Ordinal);

    public static string HashOf(string token) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    /// <exception cref="FormatException">Nothing that Line wrote.</exception>
    public static StaticToken Parse(string line)
    {
        try
        {
            if (JsonNode.Parse(line) is JsonObject json && json.TextAt("hash") is { Length: > 0 } hash && json.TextAt("user") is { Length: > 0 } user
                && DateTimeOffset.TryParse(json.TextAt("until"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var until))
                return new StaticToken(hash, user, [.. json["groups"].Texts()], until);
        }
        catch (JsonException)
        {
        }

        throw new FormatException("a line is no token");
    }

    public string Line() => new JsonObject
    {
        ["hash"] = Hash, ["user"] = User, ["groups"] = new JsonArray([.. Groups.Select(group => (JsonNode)group)]), ["until"] = Until.ToString("O", CultureInfo.InvariantCulture),
    }.ToJsonString();
}
