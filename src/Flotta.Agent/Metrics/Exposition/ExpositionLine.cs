using System.Globalization;
using System.Text;

namespace Flotta.Agent.Metrics;

/// <summary>
/// One line of the text format, or of OpenMetrics: a pure function. The formats differ, in a line, only in the unit of the timestamp and in
/// the exemplar that may follow, which is not kept.
/// </summary>
internal static class ExpositionLine
{
    private const int MostLabels = 64;

    /// <param name="line">Without the end of the line.</param>
    /// <param name="own">Labels of the target.</param>
    /// <param name="wanted">Whether a metric of this name is kept; what is not costs nothing.</param>
    /// <returns>Null for comments, blank lines and metrics that are not wanted.</returns>
    public static Sample? Read(ReadOnlySpan<char> line, bool openMetrics, IReadOnlyList<KeyValuePair<string, string>> own, Func<string, bool> wanted)
    {
        line = line.Trim(" \t\r");
        if (line.IsEmpty || line[0] == '#')
            return null;
        var end = NameEnd(line, colons: true);
        if (end == 0)
            throw new ExpositionException("a line does not begin with the name of a metric");
        var name = line[..end].ToString();
        if (!wanted(name))
            return null;
        line = line[end..].TrimStart(" \t");
        var labels = new List<KeyValuePair<string, string>> { new(LabelSet.NameLabel, name) };
        if (!line.IsEmpty && line[0] == '{')
            line = Labels(line[1..], labels);
        labels.AddRange(own);
        var (value, time) = ValueAndTime(line, openMetrics);
        return new Sample(LabelSet.Of(labels), value, time);
    }

    private static ReadOnlySpan<char> Labels(ReadOnlySpan<char> rest, List<KeyValuePair<string, string>> labels)
    {
        while (true)
        {
            rest = rest.TrimStart(" \t");
            if (!rest.IsEmpty && rest[0] == '}')
                return rest[1..];
            var end = NameEnd(rest, colons: false);
            var name = rest[..end];
            rest = rest[end..].TrimStart(" \t");
            if (end == 0 || rest.IsEmpty || rest[0] != '=' || labels.Count > MostLabels)
                throw new ExpositionException("the labels of a metric cannot be read, or are too many");
            rest = rest[1..].TrimStart(" \t");
            rest = Quoted(rest, out var value);
            foreach (var label in labels)
            {
                if (name.SequenceEqual(label.Key))
                    throw new ExpositionException("a metric has two labels of one name");
            }

            labels.Add(new(name.ToString(), value));
            rest = rest.TrimStart(" \t");
            if (!rest.IsEmpty && rest[0] == ',')
                rest = rest[1..];
            else if (rest.IsEmpty || rest[0] != '}')
                throw new ExpositionException("the labels of a metric do not end");
        }
    }

    private static ReadOnlySpan<char> Quoted(ReadOnlySpan<char> rest, out string value)
    {
        if (rest.IsEmpty || rest[0] != '"')
            throw new ExpositionException("the value of a label is not in quotes");
        rest = rest[1..];
        var plain = rest.IndexOfAny('"', '\\');
        if (plain >= 0 && rest[plain] == '"')
        {
            value = rest[..plain].ToString();
            return rest[(plain + 1)..];
        }

        var text = new StringBuilder();
        for (var i = 0; i < rest.Length; i++)
        {
            if (rest[i] == '"')
            {
                value = text.ToString();
                return rest[(i + 1)..];
            }

            if (rest[i] == '\\' && i + 1 < rest.Length)
                text.Append(rest[++i] switch { 'n' => "\n", '"' => "\"", '\\' => "\\", var other => $"\\{other}" });
            else
                text.Append(rest[i]);
        }

        throw new ExpositionException("the value of a label does not end");
    }

    private static (double Value, long? Time) ValueAndTime(ReadOnlySpan<char> rest, bool openMetrics)
    {
        // " # {exemplar}" may follow in OpenMetrics; neither a value nor a time holds the sign.
        if (openMetrics && rest.IndexOf('#') is >= 0 and var exemplar)
            rest = rest[..exemplar];
        rest = rest.Trim(" \t");
        var space = rest.IndexOfAny(' ', '\t');
        var value = Number(space < 0 ? rest : rest[..space]);
        if (space < 0)
            return (value, null);
        var time = rest[space..].Trim(" \t");
        if (openMetrics)
            return (value, Milliseconds(Number(time) * 1000));
        return long.TryParse(time, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)
            ? (value, Milliseconds(whole))
            : throw new ExpositionException("the time of a sample cannot be read");
    }

    // 1970 to 2262, what others can store too.
    private static long Milliseconds(double time) =>
        time is >= 0 and < 9_223_372_036_854 ? (long)time : throw new ExpositionException("the time of a sample is out of bounds");

    private static double Number(ReadOnlySpan<char> text)
    {
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && !text.ContainsAnyInRange('G', 'Z'))
            return number;
        return text switch
        {
            _ when Is(text, "+Inf") || Is(text, "Inf") || Is(text, "+Infinity") || Is(text, "Infinity") => double.PositiveInfinity,
            _ when Is(text, "-Inf") || Is(text, "-Infinity") => double.NegativeInfinity,
            _ when Is(text, "NaN") || Is(text, "+NaN") || Is(text, "-NaN") => double.NaN,
            _ => throw new ExpositionException("the value of a sample cannot be read"),
        };
    }

    private static bool Is(ReadOnlySpan<char> text, string word) => text.Equals(word, StringComparison.OrdinalIgnoreCase);

    private static int NameEnd(ReadOnlySpan<char> text, bool colons)
    {
        var i = 0;
        while (i < text.Length && (char.IsAsciiLetter(text[i]) || text[i] == '_' || (colons && text[i] == ':') || (i > 0 && char.IsAsciiDigit(text[i]))))
            i++;
        return i;
    }
}
