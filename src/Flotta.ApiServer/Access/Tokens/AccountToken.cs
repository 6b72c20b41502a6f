using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Access.Tokens;

/// <summary>What a token of a service account says: a JWT with Kubernetes' claims.</summary>
/// <param name="Bound">The object with which the token ends; null: only the account itself.</param>
internal sealed record AccountToken(
    string Id, string Issuer, IReadOnlyList<string> Audiences, string Namespace, string Account, string AccountUid, BoundObject? Bound, DateTimeOffset From, DateTimeOffset Until)
{
    private const string Algorithm = "ES256";
    private const string Private = "kubernetes.io";

    public string Sign(AccountKey key)
    {
        var header = Part(new JsonObject { ["alg"] = Algorithm, ["kid"] = key.Id });
        var place = new JsonObject { ["namespace"] = Namespace, ["serviceaccount"] = new JsonObject { ["name"] = Account, ["uid"] = AccountUid } };
        if (Bound is not null)
            place[Bound.Kind.ToLowerInvariant()] = new JsonObject { ["name"] = Bound.Name, ["uid"] = Bound.Uid };
        var claims = Part(new JsonObject
        {
            ["aud"] = new JsonArray([.. Audiences.Select(one => (JsonNode)one)]), ["exp"] = Until.ToUnixTimeSeconds(), ["iat"] = From.ToUnixTimeSeconds(),
            ["iss"] = Issuer, ["jti"] = Id, [Private] = place, ["nbf"] = From.ToUnixTimeSeconds(), ["sub"] = AccountName(),
        });
        var signed = $"{header}.{claims}";
        return $"{signed}.{Base64Url.EncodeToString(key.Sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    /// <summary>Null: not a token of ours. Whether it is of today and its account still there is not looked at.</summary>
    public static AccountToken? Read(string token, AccountKey key)
    {
        if (token.Split('.') is not [var header, var claims, var signature] || Json(header) is not { } head || head.TextAt("alg") != Algorithm || head.TextAt("kid") != key.Id)
            return null;
        if (Bytes(signature) is not { } bytes || !key.Verify(Encoding.ASCII.GetBytes($"{header}.{claims}"), bytes) || Json(claims) is not { } said)
            return null;
        var place = said[Private] as JsonObject ?? [];
        var bound = place.Where(one => one.Key is "secret" or "pod" or "node").Select(one => new BoundObject(one.Key, one.Value.TextAt("name"), one.Value.TextAt("uid"))).FirstOrDefault();
        return new AccountToken(
            said.TextAt("jti"), said.TextAt("iss"), [.. said["aud"].Texts()], place.TextAt("namespace"), place.TextAt("serviceaccount", "name"), place.TextAt("serviceaccount", "uid"), bound,
            Time(said["nbf"]), Time(said["exp"]));
    }

    private string AccountName() => Rights.AccountName.UserOf(Namespace, Account);

    private static string Part(JsonObject value) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(value.ToJsonString()));

    private static DateTimeOffset Time(JsonNode? seconds) => DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(seconds.AsInteger() ?? 0, 0, 253402300799));

    private static JsonObject? Json(string part)
    {
        try
        {
            return Bytes(part) is { } bytes ? JsonNode.Parse(bytes) as JsonObject : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static byte[]? Bytes(string part)
    {
        try
        {
            return Base64Url.DecodeFromChars(part);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}

/// <summary>Of the account's namespace (but for nodes): Kind in any case.</summary>
internal sealed record BoundObject(string Kind, string Name, string Uid);
