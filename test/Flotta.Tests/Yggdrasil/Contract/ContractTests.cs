using System.Text;
using CsCheck;
using Flotta.Yggdrasil.Contract;

namespace Flotta.Tests.Yggdrasil.Contract;

public sealed class ContractTests
{
    [Fact]
    public void A_message_has_the_bytes_that_protoc_gives_it()
    {
        // handler "device", pid 4242, detached_content, features {a: b}; as printed by protoc --encode.
        var bytes = new WorkerRegistration("device", 4242, DetachedContent: true, new Dictionary<string, string>(StringComparer.Ordinal) { ["a"] = "b" }).Write();
        Convert.ToHexStringLower(bytes).ShouldBe("0a066465766963651092211801220" + "60a0161120162");
    }

    [Fact]
    public void What_is_written_is_read_back() => Gen.Select(Gen.String, Gen.String, Gen.Byte.Array, Gen.Dictionary(Gen.String, Gen.String)).Sample((id, directive, content, metadata) =>
    {
        var data = WorkerData.Read(new WorkerData(Clean(id), metadata.DistinctBy(pair => Clean(pair.Key)).ToDictionary(pair => Clean(pair.Key), pair => Clean(pair.Value), StringComparer.Ordinal), content, "", Clean(directive)).Write());
        return data.MessageId == Clean(id) && data.Directive == Clean(directive) && data.Content.Span.SequenceEqual(content) && data.Metadata.All(pair => metadata.Any(other => Clean(other.Key) == pair.Key));
    });

    [Fact]
    public void Nothing_that_comes_over_the_socket_is_more_than_a_contract_exception() => Gen.Byte.Array.Sample(bytes =>
    {
        try
        {
            _ = WorkerData.Read(bytes);
            _ = WorkerRegistration.Read(bytes);
            _ = DaemonConfig.Read(bytes);
            _ = EventNotification.Read(bytes);
        }
        catch (ContractException)
        {
            // That is the one.
        }
    });

    [Fact]
    public void Fields_of_later_versions_are_passed_over() =>
        WorkerData.Read(new ProtoWriter().Integer(99, 7).Text(98, "later").Text(1, "id").ToArray()).MessageId.ShouldBe("id");

    // Half of a surrogate pair has no UTF-8.
    private static string Clean(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
}
