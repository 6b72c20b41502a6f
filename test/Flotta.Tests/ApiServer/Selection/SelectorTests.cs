using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Flotta.ApiServer.Selection;
using Flotta.Tests.ApiServer.Definitions;

namespace Flotta.Tests.ApiServer.Selection;

public sealed class SelectorTests
{
    [Theory]
    [InlineData("a=b=c", "found '=', expected: ',' or 'end of string'")]
    [InlineData("a in b", "unable to parse requirement: found 'b' expected: '('")]
    [InlineData("!", "unable to parse requirement: found '', expected: identifier")]
    [InlineData("a b", "unable to parse requirement: found 'b', expected: '=', '!=', '==', 'in', notin'")]
    [InlineData("/a=b", "unable to parse requirement: invalid label key \"/a\": prefix part must be non-empty")]
    [InlineData("a in (x,y", "unable to parse requirement: found '', expected: ',' or ')'")]
    [InlineData("a>x", "unable to parse requirement: for 'Gt', 'Lt' operators, the value must be an integer")]
    [InlineData(",", "found ',', expected: !, identifier, or 'end of string'")]
    [InlineData("a,", "found '', expected: identifier after ','")]
    [InlineData("!a=b", "found '=', expected: ',' or 'end of string'")]
    [InlineData("a notin", "unable to parse requirement: found '' expected: '('")]
    public void A_bad_label_selector_is_refused_in_the_real_words(string text, string message) =>
        Should.Throw<SelectorException>(() => LabelSelector.Parse(text)).Message.ShouldBe(message);

    [Theory]
    [InlineData("foo", "invalid selector: 'foo'; can't understand 'foo'")]
    [InlineData("foo=bar", "field label not supported: foo")]
    [InlineData("metadata.name=a=b", "invalid field selector: unescaped character in value: 61")]
    [InlineData("metadata.name=a\\b", "invalid field selector: invalid escape sequence: \\b")]
    public void A_bad_field_selector_is_refused_in_the_real_words(string text, string message) =>
        Should.Throw<SelectorException>(() => FieldSelector.Parse(text, [])).Message.ShouldBe(message);

    [Fact]
    public void Label_selectors_agree_with_a_model()
    {
        var keys = Values.OneOf("a", "b", "x/c");
        var values = Values.OneOf("", "1", "2", "v");
        var requirement = Gen.OneOf(
            Gen.Select(keys, values, (key, value) => (Text: $"{key}={value}", Model: Is(key, found => found == value))),
            Gen.Select(keys, values, (key, value) => (Text: $"{key} != {value}", Model: Is(key, found => found != value))),
            Gen.Select(keys, values.Array[1, 3], (key, set) => (Text: $"{key} in ({string.Join(',', set)})", Model: Is(key, found => found is not null && set.Contains(found)))),
            Gen.Select(keys, values.Array[1, 3], (key, set) => (Text: $"{key} notin ({string.Join(", ", set)})", Model: Is(key, found => found is null || !set.Contains(found)))),
            keys.Select(key => (Text: key, Model: Is(key, found => found is not null))),
            keys.Select(key => (Text: "!" + key, Model: Is(key, found => found is null))),
            keys.Select(key => (Text: key + ">1", Model: Is(key, found => int.TryParse(found, out var number) && number > 1))));
        var labels = Gen.Select(keys, values).Array[0, 3].Select(pairs => pairs.DistinctBy(pair => pair.Item1).ToDictionary(pair => pair.Item1, pair => pair.Item2, StringComparer.Ordinal));
        Gen.Select(requirement.Array[0, 3], labels).Sample(
            (requirements, map) =>
            {
                var selector = LabelSelector.Parse(string.Join(" , ", requirements.Select(each => each.Text)));
                var expected = requirements.All(each => each.Model(map));
                var item = new JsonObject { ["metadata"] = new JsonObject { ["labels"] = JsonSerializer.SerializeToNode(map) } };
                using var document = JsonDocument.Parse(item.ToJsonString());
                return selector.Matches(map) == expected && selector.Matches(item) == expected && selector.Matches(document.RootElement) == expected;
            },
            iter: 5000);

        static Func<Dictionary<string, string>, bool> Is(string key, Func<string?, bool> test) => map => test(map.GetValueOrDefault(key));
    }

    [Fact]
    public void Any_text_is_parsed_or_refused() => Gen.String.Sample(
        text =>
        {
            try
            {
                LabelSelector.Parse(text);
                FieldSelector.Parse(text, ["a.b"]);
            }
            catch (SelectorException)
            {
            }
        },
        iter: 5000);

    [Fact]
    public void Fields_are_found_by_path_or_by_another_name()
    {
        var item = (JsonObject)JsonNode.Parse("""{"source":{"component":"c"},"spec":{"n":5,"on":true}}""")!;
        Matches("source=c,spec.n=5,spec.on=true", "source:source.component", "spec.n", "spec.on").ShouldBeTrue();
        Matches("spec.n!=5", "spec.n").ShouldBeFalse();
        Matches("spec.none=", "spec.none").ShouldBeTrue();

        bool Matches(string text, params string[] selectable) => FieldSelector.Parse(text, selectable).Matches("x", null, () => item);
    }

    [Fact]
    public void Names_alone_need_no_object()
    {
        var selector = FieldSelector.Parse("metadata.name=a,metadata.namespace!=b", []);
        selector.OnlyNames.ShouldBeTrue();
        selector.Exact("metadata.name").ShouldBe("a");
        selector.Exact("metadata.namespace").ShouldBeNull();
        selector.Matches("a", "c", () => throw new InvalidOperationException()).ShouldBeTrue();
        selector.Matches("a", "b", () => throw new InvalidOperationException()).ShouldBeFalse();
        FieldSelector.Parse(",", []).IsEverything.ShouldBeTrue();
        FieldSelector.Parse(@"metadata.name=a\,b\=c", []).Exact("metadata.name").ShouldBe("a,b=c");
    }
}
