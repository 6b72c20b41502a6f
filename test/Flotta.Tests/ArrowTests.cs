namespace Flotta.Tests;

public sealed class ArrowTests
{
    // Who may reference whom: ARCHITECTURE.md, "Arrows". A new arrow is a decision, so it is written here first.
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Flotta.Wire"] = [],
        ["Flotta.Resources"] = [],
        ["Flotta.Kube"] = ["Flotta.Resources"],
        ["Flotta.ApiServer"] = [],
        ["Flotta.Operator"] = ["Flotta.Resources", "Flotta.Kube"],
        ["Flotta.EdgeApi"] = ["Flotta.Wire", "Flotta.Resources", "Flotta.Kube"],
        ["Flotta.Yggdrasil"] = ["Flotta.Wire"],
        ["Flotta.Agent"] = ["Flotta.Wire", "Flotta.Yggdrasil"],
        ["Flotta.Fleet"] = ["Flotta.Wire", "Flotta.Yggdrasil"],
        ["Flotta.Cli"] = ["Flotta.Resources", "Flotta.Kube", "Flotta.ApiServer", "Flotta.Operator", "Flotta.EdgeApi"],
    };

    public static TheoryData<string> Rooms => new(Allowed.Keys);

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_references_only_the_rooms_that_its_arrows_allow(string room)
    {
        var project = System.Xml.Linq.XDocument.Load(Path.Combine(Repository.Root, "src", room, room + ".csproj"));
        var references = project
            .Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value));
        references.Except(Allowed[room], StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Fact]
    public void Every_room_has_its_arrows_written_down()
    {
        var rooms = Directory.GetDirectories(Path.Combine(Repository.Root, "src")).Select(folder => Path.GetFileName(folder)!);
        rooms.Except(Allowed.Keys, StringComparer.Ordinal).ShouldBeEmpty();
    }
}
