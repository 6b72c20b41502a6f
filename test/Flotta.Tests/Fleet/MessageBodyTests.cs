using Flotta.Fleet.Devices;
using Flotta.Wire;

namespace Flotta.Tests.Fleet;

public sealed class MessageBodyTests
{
    [Fact]
    public void A_body_sent_again_is_the_same_message_with_an_id_and_a_time_of_its_own()
    {
        var content = WireJson.ToElement(new Heartbeat { Status = HeartbeatStatuses.Up, Version = "v" }, WireJson.Types.Heartbeat);
        var body = MessageBody.Of(Message.Data(Directives.Heartbeat, content, DateTimeOffset.UnixEpoch));
        var at = new DateTimeOffset(2026, 11, 22, 1, 2, 3, 4, TimeSpan.Zero);
        var first = WireJson.Read(body.At(at).Span, WireJson.Types.Message);
        var second = WireJson.Read(body.At(at.AddHours(1)).Span, WireJson.Types.Message);
        first.Sent.ShouldBe(at);
        second.Sent.ShouldBe(at.AddHours(1));
        Guid.TryParse(first.MessageId, out _).ShouldBeTrue();
        second.MessageId.ShouldNotBe(first.MessageId);
        WireJson.ReadContent(second.Content, WireJson.Types.Heartbeat).Version.ShouldBe("v");
    }

    [Fact]
    public void A_configuration_without_a_tag_is_the_same_whatever_its_version()
    {
        var one = new DeviceConfigurationMessage { DeviceId = "d", Version = "1", Workloads = [new Workload { Name = "a", Specification = "x" }] };
        ConfigurationMark.Of(one with { Version = "2" }, tag: null).ShouldBe(ConfigurationMark.Of(one, tag: null));
        ConfigurationMark.Of(one with { Workloads = [] }, tag: null).ShouldNotBe(ConfigurationMark.Of(one, tag: null));
        ConfigurationMark.Of(one, "\"b\"").ShouldNotBe(ConfigurationMark.Of(one, "\"a\""));
    }
}
