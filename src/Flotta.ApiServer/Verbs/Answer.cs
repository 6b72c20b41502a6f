using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Storage;
using Flotta.ApiServer.Tables;
using Microsoft.AspNetCore.Http;

namespace Flotta.ApiServer.Verbs;

/// <summary>Writes what goes back.</summary>
internal static class Answer
{
    // Smaller ones cost more to pack than to send.
    private const int WorthPacking = 128 * 1024;

    public static Task StatusAsync(HttpContext http, Status status) => JsonAsync(http, status.ToJson(), status.Code);

    public static Task JsonAsync(HttpContext http, JsonObject value, int code = 200) => BytesAsync(http, Encoding.UTF8.GetBytes(value.ToJsonString(Json.Relaxed)), code);

    public static async Task BytesAsync(HttpContext http, ReadOnlyMemory<byte> json, int code = 200, string type = "application/json")
    {
        http.Response.StatusCode = code;
        if (type == "application/json" && WantsYaml(http.Request.Headers.Accept.ToString()))
            (json, type) = (YamlText.Of(json.Span), "application/yaml");
        http.Response.ContentType = type;
        if (json.Length >= WorthPacking && AcceptsGzip(http))
        {
            await using var packed = Pack(http);
            await packed.WriteAsync(json, http.RequestAborted);
            return;
        }

        http.Response.ContentLength = json.Length;
        await http.Response.BodyWriter.WriteAsync(json, http.RequestAborted);
    }

    /// <summary>One object in the form asked for.</summary>
    public static Task ObjectAsync(ObjectRequest request, OutputForm form, StoredObject one, TimeProvider time, int code = 200)
    {
        if (form.Kind == OutputKind.Object)
            return BytesAsync(request.Http, WireForm.Of(one, request.Served), code);
        var value = WireForm.Parse(one, request.Served);
        if (form.Kind == OutputKind.PartialMetadata)
            return JsonAsync(request.Http, WireForm.PartialMetadata(value, form.Version), code);
        var metadata = new JsonObject { ["resourceVersion"] = value["metadata"]!["resourceVersion"]?.DeepClone() };
        return JsonAsync(
            request.Http, Table.Render(request.Served.Definition, [value], metadata, Include(request), true, form.Version, time.GetUtcNow()), code);
    }

    public static IncludeObject Include(ObjectRequest request) => request.Query("includeObject") switch
    {
        "None" => IncludeObject.None,
        "Object" => IncludeObject.Object,
        _ => IncludeObject.Metadata,
    };

    /// <exception cref="StatusException">Nothing that is accepted can be given.</exception>
    public static OutputForm Form(HttpContext http) =>
        OutputForm.From(http.Request.Headers.Accept.ToString())
        ?? throw new StatusException(NotAcceptable("application/json, application/yaml"));

    /// <summary>Of a watch: one document after the other is JSON's.</summary>
    public static OutputForm StreamForm(HttpContext http) =>
        Form(http) is { Yaml: false } form ? form : throw new StatusException(NotAcceptable("application/json, application/json;stream=watch"));

    public static void Warn(HttpContext http, IEnumerable<string> warnings)
    {
        foreach (var warning in warnings.Distinct(StringComparer.Ordinal).Take(100))
            http.Response.Headers.Append("Warning", "299 - " + GoText.Quote(Ascii(warning)));
    }

    public static bool AcceptsGzip(HttpContext http) => http.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase);

    public static GZipStream Pack(HttpContext http)
    {
        http.Response.Headers.ContentEncoding = "gzip";
        http.Response.Headers.Vary = "Accept-Encoding";
        return new GZipStream(http.Response.BodyWriter.AsStream(), CompressionLevel.Fastest);
    }

    private static bool WantsYaml(string accept) => accept.Contains("yaml", StringComparison.Ordinal) && OutputForm.From(accept) is { Yaml: true };

    private static Status NotAcceptable(string types) => new(406, "NotAcceptable", "only the following media types are accepted: " + types, new JsonObject());

    // Headers carry nothing else; a hostile field name must not break the answer.
    private static string Ascii(string text) =>
        string.Concat(text.Length > 512 ? text[..512] : text).Aggregate(new StringBuilder(), (all, c) => all.Append(c is >= ' ' and < '\u007f' ? c : '?')).ToString();
}
