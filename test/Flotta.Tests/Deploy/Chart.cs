using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.Serialization;

namespace Flotta.Tests.Deploy;

/// <summary>
/// Renders the chart as Helm would, where no Helm is to be had: of its template language only what the chart uses (values, if, range, and a
/// handful of functions). Whatever else stands in a template is an error.
/// </summary>
internal sealed partial class Chart
{
    private readonly Dictionary<object, object> values;
    private readonly string @namespace;

    private Chart(Dictionary<object, object> values, string @namespace) => (this.values, this.@namespace) = (values, @namespace);

    public static string Folder { get; } = Path.Combine(Repository.Root, "deploy", "helm", "flotta");

    /// <param name="changes">Values by path, as Helm's <c>--set</c>.</param>
    public static IReadOnlyList<Dictionary<object, object>> Render(string @namespace, params (string Path, object Value)[] changes) => ManifestText.Read(RenderText(@namespace, changes));

    public static string RenderText(string @namespace, params (string Path, object Value)[] changes)
    {
        var chart = new Chart(ManifestText.Read(File.ReadAllText(Path.Combine(Folder, "values.yaml"))).Single(), @namespace);
        foreach (var (path, value) in changes) Set(chart.values, path.Split('.'), value);
        return string.Join("\n---\n", Directory.EnumerateFiles(Path.Combine(Folder, "templates")).Order(StringComparer.Ordinal).Select(file => chart.Render(File.ReadAllText(file)).Trim()));
    }

    private static void Set(Dictionary<object, object> map, string[] path, object value)
    {
        foreach (var step in path[..^1]) map = (Dictionary<object, object>)map[step];
        map.ContainsKey(path[^1]).ShouldBeTrue($"there is no value {string.Join('.', path)}");
        map[path[^1]] = value;
    }

    private string Render(string template)
    {
        var parts = new Queue<(string Text, string? Action)>();
        var at = 0;
        foreach (Match action in Action().Matches(template))
        {
            var text = template[at..action.Index];
            // "{{-" takes the white space before it away, as the "-}}" of the one before takes what follows.
            if (action.Groups["left"].Success) text = text.TrimEnd();
            parts.Enqueue((text, action.Groups["action"].Value.Trim()));
            at = action.Index + action.Length;
        }

        parts.Enqueue((template[at..], null));
        var written = new StringBuilder();
        Block(parts, written, new(StringComparer.Ordinal));
        parts.ShouldBeEmpty();
        return written.ToString();
    }

    // Up to the end of the block that it begins in.
    private void Block(Queue<(string Text, string? Action)> parts, StringBuilder? written, Dictionary<string, object> variables)
    {
        while (parts.TryDequeue(out var part))
        {
            written?.Append(part.Text);
            switch (part.Action?.Split(' ')[0])
            {
                case null or "end":
                    return;
                case "if":
                    Block(parts, IsTrue(Value(part.Action[3..], variables)) ? written : null, variables);
                    break;
                case "range":
                    Range(parts, written, part.Action, variables);
                    break;
                default:
                    written?.Append(Text(Value(part.Action, variables)));
                    break;
            }
        }
    }

    private void Range(Queue<(string Text, string? Action)> parts, StringBuilder? written, string action, Dictionary<string, object> variables)
    {
        var match = RangeAction().Match(action);
        match.Success.ShouldBeTrue(action);
        var map = (Dictionary<object, object>)Value(match.Groups["map"].Value, variables)!;
        var rest = parts;
        foreach (var (key, value) in map.OrderBy(pair => (string)pair.Key, StringComparer.Ordinal))
        {
            rest = new(parts);
            Block(rest, written, new(variables, StringComparer.Ordinal) { [match.Groups["key"].Value] = key, [match.Groups["value"].Value] = value });
        }

        if (map.Count == 0) Block(rest, null, variables);
        while (parts.Count > rest.Count) parts.Dequeue();
    }

    private object? Value(string pipeline, Dictionary<string, object> variables)
    {
        object? result = null;
        foreach (var (command, first) in pipeline.Split('|', StringSplitOptions.TrimEntries).Select((command, index) => (command, index == 0)))
        {
            var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (first && words.Length == 1)
            {
                result = Operand(words[0], variables);
                continue;
            }

            var argument = first ? Operand(words[1], variables) : result;
            result = words[0] switch
            {
                "not" => !IsTrue(argument),
                "quote" => JsonSerializer.Serialize(Text(argument)),
                "toYaml" => new SerializerBuilder().Build().Serialize(argument!).TrimEnd(),
                "toJson" => JsonSerializer.Serialize(argument),
                "sha256sum" => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text(argument)))),
                "nindent" => string.Concat(Text(argument).Split('\n').Select(line => "\n" + new string(' ', int.Parse(words[1], System.Globalization.CultureInfo.InvariantCulture)) + line)),
                _ => throw new NotSupportedException($"the function {words[0]}"),
            };
        }

        return result;
    }

    private object? Operand(string word, Dictionary<string, object> variables) => word switch
    {
        ".Release.Namespace" => @namespace,
        ['$', ..] => variables[word],
        _ when word.StartsWith(".Values.", StringComparison.Ordinal) =>
            ManifestText.At(values, word[".Values.".Length..]) ?? throw new KeyNotFoundException($"values.yaml has no {word}"),
        _ => throw new NotSupportedException(word),
    };

    private static string Text(object? value) => value as string ?? throw new NotSupportedException($"{value} as text");

    private static bool IsTrue(object? value) => value switch
    {
        bool flag => flag,
        string text => text is not ("" or "false" or "0"),
        Dictionary<object, object> map => map.Count > 0,
        List<object> list => list.Count > 0,
        _ => false,
    };

    [GeneratedRegex(@"\{\{(?<left>-)?(?<action>[^}]*)\}\}", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Action();

    [GeneratedRegex(@"^range (?<key>\$\w+), (?<value>\$\w+) := (?<map>\S+)$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex RangeAction();
}
