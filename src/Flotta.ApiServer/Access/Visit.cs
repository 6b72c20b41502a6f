using Flotta.ApiServer.Access.Fairness;
using Flotta.ApiServer.Access.Rights;
using Microsoft.AspNetCore.Http;

namespace Flotta.ApiServer.Access;

/// <summary>One request, from its beginning until it is answered: what is found out about it on the way.</summary>
internal sealed class Visit(HttpContext http, long started)
{
    public HttpContext Http { get; } = http;

    public long Started { get; } = started;

    /// <summary>It is more than a question whether the server lives.</summary>
    public bool Came { get; set; }

    public Caller? Caller { get; set; }

    public AccessQuestion? Asked { get; set; }

    public FairShare.Seat? Seat { get; set; }
}
