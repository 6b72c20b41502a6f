using Flotta.Agent.DataSync;
using Flotta.Yggdrasil.Credentials;

namespace Flotta.Tests.Agent.DataSync;

/// <summary>The examples that AWS publishes for Signature Version 4 in Authorization headers of S3.</summary>
public sealed class SignatureTests
{
    private static readonly Bucket Bucket = new("examplebucket.s3.amazonaws.com", "", "us-east-1", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", Roots.System);
    private static readonly DateTimeOffset Time = new(2013, 5, 24, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_get_of_a_range() => Sign("GET", "/test.txt", "", Signature.EmptyPayload, ("range", "bytes=0-9"))
        .ShouldBe("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");

    [Fact]
    public void A_put_with_a_key_that_has_to_be_encoded() => Sign(
        "PUT",
        "/" + Signature.Encode("test$file.text", path: true),
        "",
        "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        ("date", "Fri, 24 May 2013 00:00:00 GMT"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"))
        .ShouldEndWith("SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");

    [Fact]
    public void A_parameter_without_a_value() => Sign("GET", "/", Signature.Query(("lifecycle", "")), Signature.EmptyPayload)
        .ShouldEndWith("Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");

    [Fact]
    public void A_list_with_parameters_in_any_order() => Sign("GET", "/", Signature.Query(("prefix", "J"), ("max-keys", "2")), Signature.EmptyPayload)
        .ShouldEndWith("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");

    [Theory]
    [InlineData("a b+c", "a%20b%2Bc")]
    [InlineData("ü/€", "%C3%BC/%E2%82%AC")]
    [InlineData("A-_.~*", "A-_.~%2A")]
    public void Keys_are_encoded_as_S3_wants_them(string key, string encoded) => Signature.Encode(key, path: true).ShouldBe(encoded);

    private static string Sign(string method, string path, string query, string payload, params (string Name, string Value)[] more)
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["host"] = Bucket.Authority,
            ["x-amz-content-sha256"] = payload,
            ["x-amz-date"] = Signature.Time(Time),
        };
        foreach (var (name, value) in more)
            headers[name] = value;
        return Signature.Authorization(method, path, query, headers, payload, Bucket, Time);
    }
}
