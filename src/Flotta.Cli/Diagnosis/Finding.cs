using System.Text.Json.Nodes;

namespace Flotta.Cli.Diagnosis;

internal enum Health
{
    Ok,
    Warning,
    Error,
}

/// <summary>What one check has found: how it is, and where it is not well what to do.</summary>
internal sealed record Finding(string Check, Health Health, string What, string Do = "")
{
    public static Finding Ok(string check, string what) => new(check, Health.Ok, what);

    public static Finding Warning(string check, string what, string @do) => new(check, Health.Warning, what, @do);

    public static Finding Error(string check, string what, string @do) => new(check, Health.Error, what, @do);

    public JsonObject ToJson() => new() { ["check"] = Check, ["health"] = Word, ["what"] = What, ["do"] = Do };

    public override string ToString() => $"{Word,-8} {Check,-13} {What}{(Do.Length > 0 ? ". " + Do : "")}";

    private string Word => Health switch
    {
        Health.Ok => "ok",
        Health.Warning => "warning",
        _ => "error",
    };
}
