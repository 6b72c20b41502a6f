using System.Text;
using Flotta.EdgeApi.Heartbeats;

namespace Flotta.Tests.EdgeApi.Heartbeats;

public sealed class KnownBeatTests
{
    [Theory]
    [InlineData("08-heartbeat-first-full-hardware-200.json")]
    [InlineData("09-heartbeat-next-mutable-hardware-200.json")]
    public void What_the_original_agent_sends_is_found(string capture)
    {
        var body = Wire.Captures.Body(capture, "request");
        KnownBeat.TryFind(body, out var content).ShouldBeTrue();
        Encoding.UTF8.GetString(body[content]).ShouldStartWith("{");
        Encoding.UTF8.GetString(body[content]).ShouldEndWith("}");
    }

    [Theory]
    [InlineData("""{"directive":"heartbeat","content":{"status":"up"}}""", true)]
    [InlineData("""{"directive":"heartbeat","content":{"status":"up"},"sent":"2026-11-22T13:16:56.1+01:00","version":1,"metadata":{},"type":"data"}""", true)]
    [InlineData("""{"directive":"heartbeat","content":{"status":"up"}} x""", false)]
    [InlineData("""{"directive":"heartbeat","content":{"status":"up"},"content":{}}""", false)]
    [InlineData("""{"directive":"heartbeat","content":"up"}""", false)]
    [InlineData("""{"directive":"heartbeat"}""", false)]
    [InlineData("""{"directive":"ansible","content":{}}""", false)]
    [InlineData("""{"directive":"heartbeat","content":{},"Type":"data"}""", false)]
    [InlineData("""{"directive":"heartbeat","content":{},"unknown":1}""", false)]
    [InlineData("""{"directive":"heartbeat","content":{},"sent":"yesterday"}""", false)]
    [InlineData("""{"directive":"heartbeat","content":{},"sent":"2026-13-22T13:16:56Z"}""", false)]
    [InlineData("""{"directive":"heartbeat","content":{},"version":1.5}""", false)]
    [InlineData("""{"directive":"heartbeat","content":{},"type":"\ud800"}""", false)]
    [InlineData("""{"directive":"heartbeat","content":{},"message_id":7}""", false)]
    [InlineData("""{"directive":"heartbeat","content":{""", false)]
    [InlineData("[]", false)]
    [InlineData("", false)]
    public void Whatever_is_unusual_is_left_to_those_who_look_closely(string body, bool found) =>
        KnownBeat.TryFind(Encoding.UTF8.GetBytes(body), out _).ShouldBe(found);
}
