using System.Text.Json;
using Flotta.Wire;

namespace Flotta.EdgeApi.Heartbeats;

/// <summary>
/// Finds, in one pass and without a copy, the content of a heartbeat's envelope that is in all its parts as a device program writes it. Most of all requests are such, and
/// most of those say what the last one said. Whatever is unusual in any way is not found here and is read with all the care that it needs.
/// </summary>
internal static class KnownBeat
{
    /// <summary>False where there is anything to think about.</summary>
    public static bool TryFind(ReadOnlySpan<byte> body, out Range content)
    {
        content = default;
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = WireJson.MaxDepth });
        try
        {
            return reader.Read() && reader.TokenType == JsonTokenType.StartObject && Members(ref reader, ref content) && !reader.Read();
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // The latter for half a surrogate in a text that is compared.
            return false;
        }
    }

    private static bool Members(ref Utf8JsonReader reader, ref Range content)
    {
        var (seen, heartbeat) = (0, false);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var member = Of(ref reader);
            if (member == 0 || (seen & member) != 0 || !reader.Read())
                return false;
            seen |= member;
            switch (member)
            {
                case Content:
                    var from = (int)reader.TokenStartIndex;
                    if (reader.TokenType != JsonTokenType.StartObject || !reader.TrySkip())
                        return false;
                    content = from..(int)reader.BytesConsumed;
                    break;
                case Directive:
                    heartbeat = reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("heartbeat"u8);
                    break;
                default:
                    if (!IsPlain(ref reader, member))
                        return false;
                    break;
            }
        }

        return reader.TokenType == JsonTokenType.EndObject && heartbeat && (seen & Content) != 0;
    }

    private const int Content = 1;
    private const int Directive = 2;
    private const int Type = 4;
    private const int Version = 8;
    private const int Sent = 16;
    private const int Metadata = 32;
    private const int MessageId = 64;
    private const int ResponseTo = 128;

    private static int Of(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("content"u8) ? Content
        : reader.ValueTextEquals("directive"u8) ? Directive
        : reader.ValueTextEquals("type"u8) ? Type
        : reader.ValueTextEquals("version"u8) ? Version
        : reader.ValueTextEquals("sent"u8) ? Sent
        : reader.ValueTextEquals("metadata"u8) ? Metadata
        : reader.ValueTextEquals("message_id"u8) ? MessageId
        : reader.ValueTextEquals("response_to"u8) ? ResponseTo
        : 0;

    private static bool IsPlain(ref Utf8JsonReader reader, int member) => member switch
    {
        Type => reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("data"u8),
        Version => reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out _),
        Metadata => reader.TokenType == JsonTokenType.Null || (reader.TokenType == JsonTokenType.StartObject && reader.Read() && reader.TokenType == JsonTokenType.EndObject),
        Sent => reader.TokenType == JsonTokenType.String && IsTime(reader.ValueSpan),
        _ => reader.TokenType == JsonTokenType.String && !reader.ValueIsEscaped && System.Text.Ascii.IsValid(reader.ValueSpan),
    };

    // 2026-11-22T13:16:56.172548526Z, or with an offset.
    private static bool IsTime(ReadOnlySpan<byte> text)
    {
        if (text.Length is < 20 or > 35 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':')
            return false;
        if (Number(text[..4]) < 1 || Number(text[5..7]) is < 1 or > 12 || Number(text[8..10]) is < 1 or > 28 || Number(text[11..13]) is < 0 or > 23
            || Number(text[14..16]) is < 0 or > 59 || Number(text[17..19]) is < 0 or > 59)
            return false;
        var rest = text[19..];
        if (rest[0] == '.')
        {
            var digits = 1;
            while (digits < rest.Length && char.IsAsciiDigit((char)rest[digits]))
                digits++;
            if (digits is 1 or > 10)
                return false;
            rest = rest[digits..];
        }

        return rest.SequenceEqual("Z"u8)
            || (rest.Length == 6 && rest[0] is (byte)'+' or (byte)'-' && rest[3] == ':' && Number(rest[1..3]) is >= 0 and <= 13 && Number(rest[4..6]) is >= 0 and <= 59);
    }

    private static int Number(ReadOnlySpan<byte> digits)
    {
        var number = 0;
        foreach (var digit in digits)
        {
            if (!char.IsAsciiDigit((char)digit))
                return -1;
            number = (number * 10) + (digit - '0');
        }

        return number;
    }
}
