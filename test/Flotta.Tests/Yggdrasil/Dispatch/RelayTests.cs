using System.Text;
using Flotta.Yggdrasil.Contract;
using Flotta.Yggdrasil.Dispatch;
using Flotta.Yggdrasil.Grpc;
using Flotta.Yggdrasil.Transport;

namespace Flotta.Tests.Yggdrasil.Dispatch;

public sealed class RelayTests
{
    [Theory]
    [InlineData("{\"a\": 1}", """{"StatusCode":404,"Body":{"a":1},"Metadata":{"Etag":"x"}}""")]
    [InlineData("", """{"StatusCode":404,"Body":null,"Metadata":{"Etag":"x"}}""")]
    [InlineData("no json", """{"StatusCode":404,"Body":"no json","Metadata":{"Etag":"x"}}""")]
    public void An_answer_goes_to_a_worker_as_the_original_writes_it(string body, string expected) =>
        Encoding.UTF8.GetString(Relay.Write(new Answer { Status = 404, Body = Encoding.UTF8.GetBytes(body), Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["Etag"] = "x" } })).ShouldBe(expected);

    [Fact]
    public void No_answer_is_no_bytes_and_the_other_way_round()
    {
        Relay.Write(Answer.None("gone")).ShouldBeEmpty();
        Relay.Read(default).Problem.ShouldNotBeNull();
        Relay.Read("nonsense"u8.ToArray()).Problem.ShouldNotBeNull();
        var read = Relay.Read("""{"StatusCode":208,"Body":{"x":[1]},"Metadata":null}"""u8.ToArray());
        (read.Status, Encoding.UTF8.GetString(read.Body.Span)).ShouldBe((208, """{"x":[1]}"""));
    }

    [Fact]
    public void One_handler_has_one_living_worker()
    {
        var registry = new Registry();
        var daemon = SocketAddress.Parse("@d")!;
        WorkerRegistration Request(string handler) => new(handler, 1, DetachedContent: false, new Dictionary<string, string>(StringComparer.Ordinal));
        var ours = new PeerCredentials(Environment.ProcessId, 0);
        registry.Register(Request("echo"), ours, daemon).ShouldNotBeNull().Pid.ShouldBe(Environment.ProcessId);
        registry.Register(Request("echo"), new PeerCredentials(1, 0), daemon).ShouldBeNull("it lives");
        registry.Register(Request("echo"), ours, daemon).ShouldNotBeNull("the same process may come again");
        registry.Register(Request("../../etc"), ours, daemon).ShouldBeNull();
        registry.Register(Request(""), ours, daemon).ShouldBeNull();

        registry.Register(Request("gone"), new PeerCredentials(int.MaxValue, 0), daemon).ShouldNotBeNull();
        registry.Register(Request("gone"), ours, daemon).ShouldNotBeNull("the place of a dead one is free");
        registry.Register(Request("gone2"), new PeerCredentials(int.MaxValue, 0), daemon);
        registry.Sweep();
        registry.Dispatchers().Keys.Order(StringComparer.Ordinal).ShouldBe(["echo", "gone"]);
    }
}
