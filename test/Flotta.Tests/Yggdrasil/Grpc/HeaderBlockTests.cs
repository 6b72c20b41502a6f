using System.Text;
using Flotta.Yggdrasil.Grpc;

namespace Flotta.Tests.Yggdrasil.Grpc;

/// <summary>Against the examples of RFC 7541, appendix C, and against everything else.</summary>
public sealed class HeaderBlockTests
{
    // C.6.1 and C.4.1: words in the Huffman code.
    [Theory]
    [InlineData("f1e3c2e5f23a6ba0ab90f4ff", "www.example.com")]
    [InlineData("a8eb10649cbf", "no-cache")]
    [InlineData("25a849e95ba97d7f", "custom-key")]
    [InlineData("25a849e95bb8e8b4bf", "custom-value")]
    [InlineData("6402", "302")]
    [InlineData("aec3771a4b", "private")]
    [InlineData("d07abe941054d444a8200595040b8166e082a62d1bff", "Mon, 21 Oct 2013 20:13:21 GMT")]
    [InlineData("9d29ad171863c78f0b97c8e9ae82ae43d3", "https://www.example.com")]
    [InlineData("94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1")]
    [InlineData("", "")]
    public void A_packed_word_is_read(string coded, string text) => Encoding.Latin1.GetString(Huffman.Decode(Convert.FromHexString(coded))!).ShouldBe(text);

    [Theory]
    [InlineData("00")] // "0", then three bits that are not ones
    [InlineData("ffffffff")] // the end of a string may not be written
    [InlineData("f1e3c2e5f23a6ba0ab90f4ffff")] // more than seven bits after the last letter
    public void And_what_is_none_is_not(string coded) => Huffman.Decode(Convert.FromHexString(coded)).ShouldBeNull();

    // C.4: three requests over one connection; the second and third lean on what was said before.
    [Fact]
    public void Later_blocks_lean_on_earlier_ones()
    {
        var headers = new HeaderBlock();
        Read(headers, "828684418cf1e3c2e5f23a6ba0ab90f4ff").ShouldBe(":method: GET|:scheme: http|:path: /|:authority: www.example.com");
        Read(headers, "828684be5886a8eb10649cbf").ShouldBe(":method: GET|:scheme: http|:path: /|:authority: www.example.com|cache-control: no-cache");
        Read(headers, "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf").ShouldBe(":method: GET|:scheme: https|:path: /index.html|:authority: www.example.com|custom-key: custom-value");
    }

    // C.3, without packing; C.2.2 and C.2.3: fields that are not kept.
    [Fact]
    public void Words_need_not_be_packed_nor_kept()
    {
        var headers = new HeaderBlock();
        Read(headers, "828684410f7777772e6578616d706c652e636f6d").ShouldBe(":method: GET|:scheme: http|:path: /|:authority: www.example.com");
        Read(headers, "040c2f73616d706c652f70617468").ShouldBe(":path: /sample/path");
        Read(headers, "100870617373776f726406736563726574").ShouldBe("password: secret");
        Read(headers, "be").ShouldBe(":authority: www.example.com");
        // The table made empty and large again.
        Read(headers, "203fe11f82").ShouldBe(":method: GET");
        Should.Throw<Http2Exception>(() => Read(headers, "be")).Error.ShouldBe(Http2Error.Compression);
    }

    [Fact]
    public void The_oldest_go_when_there_are_too_many()
    {
        var headers = new HeaderBlock();
        for (var number = 0; number < 200; number++)
            Read(headers, $"4003{Hex("abc")}0a{Hex($"value-{number:0000}")}");
        // 4096 bytes have room for 91 of them at 3 + 10 + 32.
        Read(headers, "be").ShouldEndWith(": value-0199");
        Read(headers, "ff19").ShouldEndWith(": value-0109"); // 62 + 90: "ff" is 127 and 25 more
        Should.Throw<Http2Exception>(() => Read(headers, "ff1a"));
    }

    [Theory]
    [InlineData("80")] // entry 0
    [InlineData("c0")] // an entry that nobody said
    [InlineData("40")] // a name that is not there
    [InlineData("4005")] // and one that is too short
    [InlineData("ffffffffffff7f")] // a number without an end
    [InlineData("3fe21f")] // a table of 4097 bytes
    [InlineData("008100")] // a packed word that is none
    public void What_is_wrong_ends_the_connection(string block) => Should.Throw<Http2Exception>(() => Read(new HeaderBlock(), block)).Error.ShouldBe(Http2Error.Compression);

    [Fact]
    public void One_that_unfolds_is_stopped()
    {
        var headers = new HeaderBlock();
        var large = new byte[] { 0x40, 1, (byte)'x', 0x7f, 0x81, 0x1e }.Concat(Enumerable.Repeat((byte)'y', 127 + 1 + (0x1e << 7))).ToArray();
        headers.Read(large).Single().Value.Length.ShouldBe(3968);
        // One byte each for four kilobytes.
        Should.Throw<Http2Exception>(() => headers.Read(Enumerable.Repeat((byte)0xbe, 100).ToArray())).Error.ShouldBe(Http2Error.EnhanceYourCalm);
    }

    [Fact]
    public void Nothing_that_is_read_does_anything_but_end_the_connection()
    {
        var random = new Random(Seed: 42);
        for (var turn = 0; turn < 20_000; turn++)
        {
            var headers = new HeaderBlock();
            try
            {
                for (var block = 0; block < 3; block++)
                {
                    var octets = new byte[random.Next(60)];
                    random.NextBytes(octets);
                    headers.Read(octets);
                }
            }
            catch (Http2Exception)
            {
                // As it should.
            }
        }
    }

    [Fact]
    public void What_we_write_is_what_we_would_read()
    {
        Read(new HeaderBlock(), Convert.ToHexString(HeaderBlock.Answer())).ShouldBe(":status: 200|content-type: application/grpc");
        Read(new HeaderBlock(), Convert.ToHexString(HeaderBlock.Trailers(GrpcStatus.Ok, null))).ShouldBe("grpc-status: 0");
        Read(new HeaderBlock(), Convert.ToHexString(HeaderBlock.Trailers(GrpcStatus.InvalidArgument, new string('ü', 300))))
            .ShouldBe("grpc-status: 3|grpc-message: " + string.Concat(Enumerable.Repeat("%C3%BC", 300)));
    }

    private static string Hex(string text) => Convert.ToHexString(Encoding.ASCII.GetBytes(text));

    private static string Read(HeaderBlock headers, string block) => string.Join('|', headers.Read(Convert.FromHexString(block)).Select(field => $"{field.Name}: {field.Value}"));
}
