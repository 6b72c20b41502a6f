using System.Text;

namespace Flotta.Agent.Metrics;

/// <summary>
/// The labels of one series, the name among them, sorted as remote write wants them. Packed into one string, which is its own key:
/// a thousand series are a thousand strings and not ten thousand.
/// </summary>
internal readonly record struct LabelSet(string Packed)
{
    public const string NameLabel = "__name__";
    private const char Separator = '\0';

    /// <summary>The later of two equal names wins, and an empty value is no label: so labels of ours stand above those that were scraped.</summary>
    public static LabelSet Of(IEnumerable<KeyValuePair<string, string>> labels)
    {
        var sorted = new SortedList<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in labels)
            sorted[name] = value;
        var packed = new StringBuilder();
        foreach (var (name, value) in sorted)
        {
            if (value.Length == 0)
                continue;
            if (packed.Length > 0)
                packed.Append(Separator);
            packed.Append(name).Append(Separator).Append(value.Replace(Separator, '\uFFFD'));
        }

        return new LabelSet(packed.ToString());
    }

    public IEnumerable<KeyValuePair<string, string>> Labels()
    {
        var parts = Packed.Split(Separator);
        for (var i = 0; i + 1 < parts.Length; i += 2)
            yield return new(parts[i], parts[i + 1]);
    }

    public override string ToString() => string.Join(',', Labels().Select(label => $"{label.Key}={label.Value}"));
}

/// <param name="Time">Milliseconds since 1970; null is the time of the scrape.</param>
internal readonly record struct Sample(LabelSet Labels, double Value, long? Time = null);
