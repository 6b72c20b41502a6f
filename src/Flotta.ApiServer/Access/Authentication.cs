using System.Security.Cryptography.X509Certificates;
using Flotta.ApiServer.Access.Tokens;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Flotta.ApiServer.Access;

/// <summary>
/// From a request to its caller: the client certificate of the connection (its chain is built once for each connection, the end of validity is looked at with
/// each request), else the bearer token.
/// </summary>
internal sealed class Authentication(Authority authority, BearerTokens tokens, TimeProvider time)
{
    private const string Scheme = "Bearer ";
    private static readonly object Key = new();

    /// <summary>Null: nobody that we know.</summary>
    public Caller? Of(HttpContext http) => OfConnection(http) ?? OfToken(http);

    private Caller? OfToken(HttpContext http)
    {
        if (http.Request.Headers.Authorization is not [{ } header] || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return null;
        var (caller, token, _) = tokens.Find(header[Scheme.Length..].Trim());
        // A token for somebody else must not open our door.
        return token is null || token.Audiences.Contains(AccountTokens.Issuer, StringComparer.Ordinal) ? caller : null;
    }

    private Caller? OfConnection(HttpContext http)
    {
        var items = http.Features.Get<IConnectionItemsFeature>()?.Items;
        if (items is null || http.Features.Get<ITlsConnectionFeature>()?.ClientCertificate is not { } leaf)
            return null;
        Known known;
        lock (items)
        {
            if (items.TryGetValue(Key, out var found))
                known = (Known)found!;
            else
                items[Key] = known = Look(leaf);
        }

        return time.GetUtcNow() < known.Until ? known.Caller : null;
    }

    private Known Look(X509Certificate2 leaf) => new(authority.Signed(leaf) ? Caller.From(leaf) : null, new DateTimeOffset(leaf.NotAfter));

    private sealed record Known(Caller? Caller, DateTimeOffset Until);
}
