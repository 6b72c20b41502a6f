using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Discovery;

/// <summary>What /version says. Clients compare minor versions, so it is that of the API we serve.</summary>
internal static class ServerVersion
{
    public static readonly string Git = "v1.32.0+flotta-" + (typeof(ServerVersion).Assembly.GetName().Version?.ToString(3) ?? "0");

    public static JsonObject Document => new()
    {
        ["major"] = "1", ["minor"] = "32", ["gitVersion"] = Git, ["gitCommit"] = "", ["gitTreeState"] = "clean", ["buildDate"] = "1970-01-01T00:00:00Z",
        ["goVersion"] = "", ["compiler"] = "dotnet", ["platform"] = "linux/" + System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture switch
        {
            System.Runtime.InteropServices.Architecture.X64 => "amd64",
            var other => other.ToString().ToLowerInvariant(),
        },
    };
}
