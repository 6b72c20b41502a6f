using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Flotta.ApiServer.Verbs;

/// <summary>A JSON document as YAML, its keys in order, as the real server writes it.</summary>
internal static class YamlText
{
    // What a reader would take for something else than text.
    private static readonly HashSet<string> Words = new(StringComparer.OrdinalIgnoreCase) { "", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "<<", "=", ".nan" };

    public static byte[] Of(ReadOnlySpan<byte> json)
    {
        var text = new StringWriter { NewLine = "\n" };
        var emitter = new Emitter(text, new EmitterSettings(bestIndent: 2, bestWidth: int.MaxValue, isCanonical: false, maxSimpleKeyLength: 1024));
        emitter.Emit(new StreamStart());
        emitter.Emit(new DocumentStart(null, null, isImplicit: true));
        Write(emitter, JsonNode.Parse(json));
        emitter.Emit(new DocumentEnd(isImplicit: true));
        emitter.Emit(new StreamEnd());
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void Write(Emitter emitter, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map:
                emitter.Emit(new MappingStart(null, null, isImplicit: true, map.Count == 0 ? MappingStyle.Flow : MappingStyle.Block));
                foreach (var (name, value) in map.OrderBy(member => member.Key, StringComparer.Ordinal))
                {
                    Write(emitter, name);
                    Write(emitter, value);
                }

                emitter.Emit(new MappingEnd());
                break;
            case JsonArray list:
                emitter.Emit(new SequenceStart(null, null, isImplicit: true, list.Count == 0 ? SequenceStyle.Flow : SequenceStyle.Block));
                foreach (var item in list)
                    Write(emitter, item);
                emitter.Emit(new SequenceEnd());
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                Write(emitter, value.GetValue<string>());
                break;
            default:
                emitter.Emit(new Scalar(null, null, node?.ToJsonString() ?? "null", ScalarStyle.Plain, isPlainImplicit: true, isQuotedImplicit: false));
                break;
        }
    }

    private static void Write(Emitter emitter, string text)
    {
        var style = text.Contains('\n', StringComparison.Ordinal) && !text.Any(c => char.IsControl(c) && c != '\n') ? ScalarStyle.Literal
            : IsPlain(text) ? ScalarStyle.Any : ScalarStyle.DoubleQuoted;
        emitter.Emit(new Scalar(null, null, text, style, isPlainImplicit: true, isQuotedImplicit: true));
    }

    // Numbers and dates begin with a digit, a sign or a point.
    private static bool IsPlain(string text) =>
        !Words.Contains(text) && !(char.IsAsciiDigit(text[0]) || text[0] is '+' or '-' or '.') && !text.Any(char.IsControl);
}
