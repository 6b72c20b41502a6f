using System.Net;
using System.Text.Json;
using Flotta.ApiServer.Access.Rights;

namespace Flotta.ApiServer.Access.Audit;

/// <summary>Who did what, and how it ended: never a body, a query or a token.</summary>
internal readonly record struct AuditEntry(
    DateTimeOffset Time, Caller? Caller, AccessQuestion? Asked, string Method, string Path, int Code, TimeSpan Took, IPAddress? Source, string Agent)
{
    // What a client may make long is cut: a line is a line.
    private const int Longest = 512;

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("time", Time);
        json.WriteString("user", Cut(Caller?.User ?? ""));
        if (Caller is { Groups.Count: > 0 })
        {
            json.WriteStartArray("groups");
            foreach (var group in Caller.Groups.Take(32))
                json.WriteStringValue(Cut(group));
            json.WriteEndArray();
        }

        if (Caller?.By is { } by)
            json.WriteString("by", Cut(by.User));
        if (Asked is { IsResource: true })
        {
            json.WriteString("verb", Asked.Verb);
            Say(json, "group", Asked.Group);
            Say(json, "version", Asked.Version);
            Say(json, "resource", Asked.Resource);
            Say(json, "subresource", Asked.Subresource);
            Say(json, "namespace", Asked.Namespace);
            Say(json, "name", Asked.Name);
        }
        else
        {
            json.WriteString("verb", Asked?.Verb ?? Cut(Method).ToLowerInvariant());
            json.WriteString("path", Cut(Path));
        }

        json.WriteNumber("code", Code);
        json.WriteNumber("ms", Math.Round(Took.TotalMilliseconds, 1));
        Say(json, "source", Source?.ToString() ?? "");
        Say(json, "agent", Agent);
        json.WriteEndObject();
    }

    private static void Say(Utf8JsonWriter json, string name, string value)
    {
        if (value.Length > 0)
            json.WriteString(name, Cut(value));
    }

    private static string Cut(string text) => text.Length <= Longest ? text : text[..Longest] + "…";
}
