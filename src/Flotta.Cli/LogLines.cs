using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace Flotta.Cli;

/// <summary>One line of a workload, or the reason why there are no more.</summary>
internal sealed record LogLine(string? Container, string? Time, string? Text, string? End);

/// <summary>Reads what an Edge API hands on from a device, and so trusts nothing in it: lines are bounded, what is none is left out, and nothing in them may steer a terminal.</summary>
internal static class LogLines
{
    private const int LongestLine = 256 * 1024;

    public static async IAsyncEnumerable<LogLine> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var reader = PipeReader.Create(stream);
        var tooLong = false;
        while (true)
        {
            var result = await reader.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                if (!tooLong && Parse(buffer.Slice(0, end)) is { } line)
                    yield return line;
                tooLong = false;
                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }

            if (buffer.Length > LongestLine)
            {
                tooLong = true;
                buffer = buffer.Slice(buffer.End);
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted)
                break;
        }

        await reader.CompleteAsync();
    }

    /// <summary>What a terminal would obey is shown and not done.</summary>
    public static string Harmless(string text)
    {
        if (!text.Any(IsControl))
            return text;
        var harmless = new StringBuilder(text.Length);
        foreach (var character in text)
            harmless.Append(IsControl(character) ? '\uFFFD' : character);
        return harmless.ToString();
    }

    private static bool IsControl(char character) => char.IsControl(character) && character != '\t';

    private static LogLine? Parse(ReadOnlySequence<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 4 });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                return null;
            var line = new LogLine(Text("container"), Text("time"), Text("line"), Text("end"));
            return line is { Text: null, End: null } ? null : line;

            string? Text(string name) => document.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
