using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Flotta.ApiServer.Access;

/// <summary>From a connection to its caller: the chain is built once for each connection, the end of validity is looked at with each request.</summary>
internal sealed class Authentication(Authority authority, TimeProvider time)
{
    private static readonly object Key = new();

    public Caller? Of(HttpContext http)
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
