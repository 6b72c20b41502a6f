using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Flotta.EdgeApi;

namespace Flotta.Tests.EdgeApi.Requests;

/// <summary>How a connection ends when the server stops. A world of its own: it is restarted.</summary>
public sealed class FarewellTests(EdgeWorld world) : IClassFixture<EdgeWorld>
{
    private const byte GoAway = 7;

    [Fact]
    public async Task A_device_that_is_asked_to_move_on_may_close_the_connection_itself_and_what_it_still_says_is_no_error()
    {
        using var socket = new TcpClient { NoDelay = true };
        await socket.ConnectAsync(world.Host.Address.Host, world.Host.Address.Port);
        using var certificate = X509Certificate2.CreateFromPem(world.Bootstrap.CertificatePem, world.Bootstrap.KeyPem);
        await using var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "project-flotta.io",
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
            ClientCertificates = [certificate],
            ApplicationProtocols = [SslApplicationProtocol.Http2],
        });
        await tls.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray().Concat(Frame(type: 4)).ToArray());
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await ReadUntilAsync(tls, type: 4, patience.Token); // its settings

        var stopping = world.StartAsync(new EdgeApiOptions());
        await ReadUntilAsync(tls, GoAway, patience.Token);
        // A heartbeat that was on its way when the server said so: refused by silence, not by a reset that could overtake what the server has said.
        for (var late = 0; late < 3; late++)
        {
            await tls.WriteAsync(Frame(type: 6, new byte[8]), patience.Token);
            await Task.Delay(50, patience.Token);
            socket.Client.Poll(0, SelectMode.SelectRead).ShouldBeFalse("the server closed, or reset, a connection that was the device's to close");
        }

        var watch = Stopwatch.StartNew();
        socket.Close();
        await stopping;
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(20)); // nobody keeps a server from stopping
    }

    private static async Task ReadUntilAsync(SslStream tls, byte type, CancellationToken cancellationToken)
    {
        var header = new byte[9];
        do
        {
            await tls.ReadExactlyAsync(header, cancellationToken);
            await tls.ReadExactlyAsync(new byte[(header[0] << 16) | (header[1] << 8) | header[2]], cancellationToken);
        }
        while (header[3] != type);
    }

    private static byte[] Frame(byte type, params byte[] payload) => [0, 0, (byte)payload.Length, type, 0, 0, 0, 0, 0, .. payload];
}
