using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Flotta.EdgeApi.Requests;

/// <summary>
/// Two things of OpenSSL that .NET has no setting for, and that count where many connections wait. Its two record buffers of a connection (33 KB) are given back whenever they are
/// empty, which of a device that waits they always are. And a new connection gets one session ticket, not two: each is a kilobyte on the wire and a millisecond of CPU, for a device
/// that comes back once. Both are set as OpenSSL makes a context or a connection, by the notice that CRYPTO_get_ex_new_index(3) gives of that. See docs/decisions/0081.
/// </summary>
internal static unsafe class TlsThrift
{
    // CRYPTO_EX_INDEX_SSL, CRYPTO_EX_INDEX_SSL_CTX, SSL_CTRL_MODE and SSL_MODE_RELEASE_BUFFERS of OpenSSL 3.
    private const int ConnectionClass = 0;
    private const int ContextClass = 1;
    private const int SetMode = 33;
    private const nint ReleaseBuffers = 0x10;

    private static readonly Lazy<bool> Known = new(Register);
    private static delegate* unmanaged<nint, int, nint, nint, nint> _control;
    private static delegate* unmanaged<nint, nuint, int> _setTickets;

    /// <summary>For every connection of a context that is made from now on. Can be asked again.</summary>
    /// <returns>False where another OpenSSL than 3 is used: then everything is as OpenSSL has it.</returns>
    public static bool Apply() => Known.Value;

    private static bool Register()
    {
        // The very libraries that .NET has loaded, by the names that it loads them by.
        if (SafeEvpPKeyHandle.OpenSslVersion >> 28 != 3
            || !NativeLibrary.TryLoad("libssl.so.3", out var tls) || !NativeLibrary.TryLoad("libcrypto.so.3", out var crypto)
            || !NativeLibrary.TryGetExport(tls, "SSL_CTX_ctrl", out var control) || !NativeLibrary.TryGetExport(tls, "SSL_set_num_tickets", out var setTickets)
            || !NativeLibrary.TryGetExport(crypto, "CRYPTO_get_ex_new_index", out var register))
            return false;
        _control = (delegate* unmanaged<nint, int, nint, nint, nint>)control;
        _setTickets = (delegate* unmanaged<nint, nuint, int>)setTickets;
        var onNew = (delegate* unmanaged<int, nint, nint, delegate* unmanaged<nint, nint, nint, int, nint, nint, void>, nint, nint, int>)register;
        return onNew(ContextClass, 0, 0, &OnContext, 0, 0) >= 0 && onNew(ConnectionClass, 0, 0, &OnConnection, 0, 0) >= 0;
    }

    [UnmanagedCallersOnly]
    private static void OnContext(nint context, nint data, nint all, int index, nint number, nint argument) => _ = _control(context, SetMode, ReleaseBuffers, 0);

    // From OpenSSL 3.2 on the context has the last word on it: there it is two after all.
    [UnmanagedCallersOnly]
    private static void OnConnection(nint connection, nint data, nint all, int index, nint number, nint argument) => _ = _setTickets(connection, 1);
}
