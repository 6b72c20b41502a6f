using Flotta.Resources;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Flotta.EdgeApi.Configuration;

/// <summary>Which metrics are kept, from a ConfigMap's key <c>metrics_list.yaml</c>.</summary>
internal static class AllowList
{
    public const string Key = "metrics_list.yaml";

    public static Wire.MetricsAllowList? Of(NameReference? reference, Ingredients from)
    {
        if (reference is not { Name.Length: > 0 })
            return null;
        var map = from.ConfigMap(reference.Name) ?? throw new MissingException($"ConfigMap {reference.Name} with an allow-list does not exist");
        if (map.Data?.TryGetValue(Key, out var text) != true || text == null)
            throw new MissingException($"ConfigMap {reference.Name} has no key {Key}");
        return new Wire.MetricsAllowList(Names(text) ?? throw new MissingException($"the key {Key} of ConfigMap {reference.Name} is not a YAML document with names"));
    }

    // Read event by event: an alias is no name, and so a small document stays small.
    private static List<string>? Names(string text)
    {
        try
        {
            var parser = new Parser(new StringReader(text));
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
                return [];
            parser.Consume<DocumentStart>();
            if (parser.TryConsume<Scalar>(out var nothing))
                return nothing.Value is "" or "~" or "null" ? [] : null;
            parser.Consume<MappingStart>();
            List<string> names = [];
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                if (parser.Consume<Scalar>().Value != "names")
                    parser.SkipThisAndNestedEvents();
                else if (!parser.TryConsume<Scalar>(out _))
                    names.AddRange(List(parser));
            }

            return names;
        }
        catch (Exception fault) when (fault is YamlException or InvalidOperationException or ArgumentException)
        {
            return null;
        }
    }

    private static List<string> List(Parser parser)
    {
        List<string> names = [];
        parser.Consume<SequenceStart>();
        while (!parser.TryConsume<SequenceEnd>(out _))
            names.Add(parser.Consume<Scalar>().Value);
        return names;
    }
}
