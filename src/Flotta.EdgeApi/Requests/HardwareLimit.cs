using System.Runtime.InteropServices;
using System.Text.Json;

namespace Flotta.EdgeApi.Requests;

/// <summary>Facts about hardware are kept, in an object that has a limit itself; so there is less room for them than for a message.</summary>
internal static class HardwareLimit
{
    public const int Largest = 256 * 1024;

    public static bool IsExceeded(JsonElement? content)
    {
        if (content is not { ValueKind: JsonValueKind.Object } all || JsonMarshal.GetRawUtf8Value(all).Length <= Largest)
            return false;
        if (all.TryGetProperty("hardware", out var hardware))
            return JsonMarshal.GetRawUtf8Value(hardware).Length > Largest;
        return all.TryGetProperty("features", out var features) && features.ValueKind == JsonValueKind.Object && features.TryGetProperty("hardware", out hardware)
            && JsonMarshal.GetRawUtf8Value(hardware).Length > Largest;
    }
}
