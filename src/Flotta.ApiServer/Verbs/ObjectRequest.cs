using System.Globalization;
using Flotta.ApiServer.Access;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Storage;
using Microsoft.AspNetCore.Http;

namespace Flotta.ApiServer.Verbs;

/// <summary>A request for a served resource: who, what, and the query taken apart.</summary>
internal sealed class ObjectRequest(HttpContext http, ServedResource served, ResourcePath path, RequestAccess access)
{
    public HttpContext Http { get; } = http;

    public ServedResource Served { get; } = served;

    public RequestAccess Access { get; } = access;

    public string Name => path.Name;

    public string Namespace => path.Namespace;

    public string Subresource => path.Subresource;

    public CancellationToken Aborted => Http.RequestAborted;

    /// <summary>Where the named object lives.</summary>
    public ObjectKey Key => Served.Key(path.Namespace, path.Name);

    /// <summary>The namespace that a list is limited to; null: all.</summary>
    public string? Within => path.Namespace.Length == 0 ? null : path.Namespace;

    public bool IsWatch => path.Watch || Flag("watch");

    public string Query(string name) => Http.Request.Query[name].ToString();

    /// <summary>Each that is given, once for each time; empty ones do not count.</summary>
    public IReadOnlyList<string> All(string name) => [.. Http.Request.Query[name].Where(value => !string.IsNullOrEmpty(value)).Select(value => value!)];

    public bool Has(string name) => Http.Request.Query.ContainsKey(name);

    public bool Flag(string name) => IsTrue(Http, name);

    /// <summary>As a typed decoder reads flags: there and not false is true.</summary>
    public static bool IsTrue(HttpContext http, string name) =>
        http.Request.Query.TryGetValue(name, out var value) && !value.ToString().Equals("false", StringComparison.OrdinalIgnoreCase) && value.ToString() != "0";

    /// <summary>0 when absent.</summary>
    /// <exception cref="StatusException">Not a number.</exception>
    public long Number(string name)
    {
        var text = Query(name);
        if (text.Length == 0)
            return 0;
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? Math.Max(0, number)
            : throw new StatusException(Status.BadRequest($"strconv.ParseInt: parsing {Definitions.GoText.Quote(text)}: invalid syntax"));
    }

    /// <summary>Null when absent.</summary>
    public long? ResourceVersion()
    {
        var text = Query("resourceVersion");
        if (text.Length == 0)
            return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new StatusException(Status.BadRequest($"resourceVersion: Invalid value: {Definitions.GoText.Quote(text)}: strconv.ParseUint: parsing {Definitions.GoText.Quote(text)}: invalid syntax"));
    }
}
