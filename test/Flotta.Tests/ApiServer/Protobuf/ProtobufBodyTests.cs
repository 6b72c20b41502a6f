using System.Text;
using CsCheck;
using Flotta.ApiServer.Protobuf;

namespace Flotta.Tests.ApiServer.Protobuf;

public sealed class ProtobufBodyTests
{
    // What kubectl 1.32 sends for `kubectl create configmap a --from-literal=x=1`.
    private const string ConfigMap =
        "6b3873000a0f0a0276311209436f6e6669674d6170121b0a110a016112001a0022002a00320038004200" + "12060a01781201311a002200";

    [Fact]
    public void A_config_map_of_kubectl_is_read() =>
        ProtobufBody.Read(Convert.FromHexString(ConfigMap))!.ToJsonString()
            .ShouldBe("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","generation":0},"data":{"x":"1"}}""");

    [Fact]
    public void A_kind_that_is_not_known_is_told_apart_from_rubbish()
    {
        ProtobufBody.Read([.. "k8s\0"u8, 0x0a, 7, 0x0a, 1, .. "v"u8, 0x12, 2, .. "Xy"u8]).ShouldBeNull();
        Should.Throw<FormatException>(() => ProtobufBody.Read("{}"u8));
        Should.Throw<FormatException>(() => ProtobufBody.Read(Convert.FromHexString(ConfigMap[..^6])));
    }

    [Fact]
    public void No_bytes_do_more_than_be_refused() => Gen.Select(Gen.Byte.Array[0, 64], Gen.Int[0, ConfigMap.Length / 2]).Sample((noise, at) =>
    {
        var body = Convert.FromHexString(ConfigMap);
        noise.AsSpan(0, Math.Min(noise.Length, body.Length - at)).CopyTo(body.AsSpan(at));
        try
        {
            ProtobufBody.Read(body);
        }
        catch (FormatException)
        {
        }
    });

    [Fact]
    public void A_text_that_is_not_utf_8_is_refused() =>
        Should.Throw<FormatException>(() => ProtobufBody.Read(Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(Convert.FromHexString(ConfigMap)).Replace("x", "\u00ff"))));
}
