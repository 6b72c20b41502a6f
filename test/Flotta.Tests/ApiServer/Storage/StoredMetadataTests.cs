using System.Text;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Storage;

namespace Flotta.Tests.ApiServer.Storage;

public sealed class StoredMetadataTests
{
    [Fact]
    public void Labels_owners_and_deletion_are_read_wherever_they_stand()
    {
        var read = Read("""
            {"apiVersion":"v1","kind":"X","metadata":{"annotations":{"labels":"{}"},"labels":{"a":"b","c":""},"finalizers":["f"],"uid":"u","deletionTimestamp":"2026-01-01T00:00:00Z",
            "ownerReferences":[{"uid":"o","kind":"K","apiVersion":"v1","name":"n","controller":true,"blockOwnerDeletion":true}]},"spec":{"metadata":{"labels":{"no":"no"}}}}
            """);
        read.Uid.ShouldBe("u");
        read.Deleting.ShouldBeTrue();
        read.HasFinalizers.ShouldBeTrue();
        read.Labels.ShouldBe(new Dictionary<string, string> { ["a"] = "b", ["c"] = "" });
        read.Owners.ShouldBe([new StoredOwner("o", "v1", "K", "n", true)]);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"metadata":null}""")]
    [InlineData("""{"metadata":{"labels":null,"finalizers":[],"deletionTimestamp":null,"ownerReferences":null}}""")]
    public void What_is_absent_is_empty(string json)
    {
        var read = Read(json);
        read.Labels.ShouldBeEmpty();
        read.Deleting.ShouldBeFalse();
        read.HasFinalizers.ShouldBeFalse();
        read.Owners.ShouldBeEmpty();
    }

    [Fact]
    public void What_a_template_writes_is_the_object_with_its_revision()
    {
        var value = (JsonObject)JsonNode.Parse("""{"spec":{"a":[1,2.50,"ü<"]},"metadata":{"name":"x","resourceVersion":"7"},"kind":"K","apiVersion":"v1"}""")!;
        var written = (JsonObject)JsonNode.Parse(ObjectTemplate.From(value).At(1234567890123))!;
        written.First().Key.ShouldBe("apiVersion");
        written["metadata"]!["resourceVersion"]!.GetValue<string>().ShouldBe("1234567890123");
        written["spec"]!.ToJsonString().ShouldBe(value["spec"]!.ToJsonString());
    }

    private static StoredMetadata Read(string json) => StoredMetadata.Of(new StoredObject(new ObjectKey("x", "", "x"), 1, Encoding.UTF8.GetBytes(json), 0));
}
