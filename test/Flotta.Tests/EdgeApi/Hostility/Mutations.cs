using System.Text;
using System.Text.Json.Nodes;

namespace Flotta.Tests.EdgeApi.Hostility;

/// <summary>Makes bad messages of good ones. What it does follows from the seed alone.</summary>
internal sealed class Mutations(Random random)
{
    /// <summary>Is in every text that is planted, and must never be found in a log.</summary>
    public const string Mark = "ZqPlantedZq";

    private static readonly string[] Texts =
    [
        "", Mark, "../../etc/passwd", "a/b", "%2e%2e%2f", "\0", "\ud83d\ude00", "-", ".", "register", "default", "kube-system", "{}", "null", "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999Z", "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----", "\r\nX-Injected: 1", "' OR 1=1", "${jndi:x}", "\u202e",
    ];

    private static readonly string[] Numbers = ["0", "-1", "1e400", "-1e400", "9223372036854775808", "-9223372036854775809", "1.5", "1e-400", "4294967296", "00", "+1", "0x10", "NaN", "Infinity", "99999999999999999999999999999999999999"];

    public byte[] Of(byte[] good)
    {
        var bytes = random.Next(3) == 0 ? good : Structured(good);
        for (var rounds = random.Next(4) == 0 ? random.Next(1, 6) : 0; rounds > 0; rounds--)
            bytes = Raw(bytes);
        return bytes.Length == 0 ? " "u8.ToArray() : bytes;
    }

    public string Text() => random.Next(6) == 0 ? new string((char)random.Next(1, 0x250), random.Next(1, 4000)) : Texts[random.Next(Texts.Length)];

    private byte[] Structured(byte[] good)
    {
        JsonNode? node;
        try
        {
            node = JsonNode.Parse(good);
        }
        catch (System.Text.Json.JsonException)
        {
            return good;
        }

        if (node == null)
            return good;
        var text = new StringBuilder();
        var left = random.Next(1, 4);
        Write(text, node, ref left, Math.Max(1, Count(node) / 3));
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    // Written by hand, because a writer of JSON would not write what is wrong.
    private void Write(StringBuilder text, JsonNode? node, ref int left, int rarity)
    {
        if (left > 0 && random.Next(rarity) == 0)
        {
            left--;
            text.Append(Absurd(node));
            return;
        }

        switch (node)
        {
            case JsonObject map:
                text.Append('{');
                var first = true;
                foreach (var (key, value) in map)
                {
                    text.Append(first ? "" : ",");
                    first = false;
                    var name = left > 0 && random.Next(rarity * 2) == 0 ? Name(key, ref left) : key;
                    text.Append(JsonValue.Create(name)!.ToJsonString()).Append(':');
                    Write(text, value, ref left, rarity);
                    if (left > 0 && random.Next(rarity * 3) == 0)
                    {
                        left--;
                        text.Append(',').Append(JsonValue.Create(key)!.ToJsonString()).Append(":1");
                    }
                }

                text.Append('}');
                break;
            case JsonArray list:
                text.Append('[');
                for (var index = 0; index < list.Count; index++)
                {
                    text.Append(index == 0 ? "" : ",");
                    Write(text, list[index], ref left, rarity);
                }

                text.Append(']');
                break;
            default:
                text.Append(node?.ToJsonString() ?? "null");
                break;
        }
    }

    private string Name(string key, ref int left)
    {
        left--;
        return random.Next(3) switch { 0 => key.ToUpperInvariant(), 1 => Text(), _ => key + "x" };
    }

    private string Absurd(JsonNode? node) => random.Next(12) switch
    {
        0 => "null",
        1 => Numbers[random.Next(Numbers.Length)],
        2 => JsonValue.Create(Text())!.ToJsonString(),
        3 => new string('[', random.Next(1, 200)) + new string(']', random.Next(1, 200)),
        4 => string.Concat(Enumerable.Repeat("{\"a\":", random.Next(1, 100))) + "1" + new string('}', 100),
        5 => "\"" + new string('x', random.Next(100_000)) + "\"",
        6 => "[" + string.Join(',', Enumerable.Repeat(random.Next(2) == 0 ? "null" : node?.ToJsonString() ?? "1", random.Next(1, 50))) + "]",
        7 => "{\"" + Mark + "\":[null,{\"" + Mark + "\":1}]}",
        8 => "\"\\ud800\"",
        9 => random.Next(2) == 0 ? "true" : "\"true\"",
        10 => node is JsonObject ? "[]" : "{}",
        _ => "",
    };

    private byte[] Raw(byte[] bytes)
    {
        var at = random.Next(bytes.Length + 1);
        switch (random.Next(6))
        {
            case 0 when bytes.Length > 0:
                var flipped = bytes.ToArray();
                flipped[random.Next(flipped.Length)] ^= (byte)(1 << random.Next(8));
                return flipped;
            case 1:
                return bytes[..at];
            case 2:
                var noise = new byte[random.Next(1, 20)];
                random.NextBytes(noise);
                return [.. bytes[..at], .. noise, .. bytes[at..]];
            case 3:
                return [.. bytes, .. bytes[at..]];
            case 4:
                return [.. bytes[at..], .. bytes[..at]];
            default:
                return [0xef, 0xbb, 0xbf, .. bytes];
        }
    }

    private static int Count(JsonNode? node) => node switch
    {
        JsonObject map => 1 + map.Sum(pair => Count(pair.Value)),
        JsonArray list => 1 + list.Sum(Count),
        _ => 1,
    };
}
