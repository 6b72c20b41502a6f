using Flotta.Resources;

namespace Flotta.Tests.Resources;

public sealed class DefinitionManifestsTests
{
    [Fact]
    public void What_the_program_hands_out_is_what_the_records_say()
    {
        var made = Definitions.All.ToDictionary(definition => definition.Metadata.Name, definition => DefinitionText.Yaml(definition).TrimEnd(), StringComparer.Ordinal);
        var handedOut = DefinitionManifests.All.ToDictionary(definition => definition.Name, definition => definition.Yaml.TrimEnd(), StringComparer.Ordinal);
        handedOut.ShouldBe(made, ignoreOrder: true);
    }

    [Fact]
    public void All_of_them_together_are_one_stream_of_documents() =>
        DefinitionManifests.All.ShouldAllBe(definition => definition.Yaml.StartsWith("---\n") && definition.Yaml.EndsWith('\n'));
}
